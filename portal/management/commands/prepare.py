"""`manage.py prepare`: what must be true of the database before anything starts.

One process does all of it: to load Django costs as much as the rest together.
"""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from metering import partitions
from nodes.models import Node
from nodes.rebuild import rebuild
from nodes.registry import create_node
from portal.demo.people import Secrets
from portal.demo.seed import seed
from portal.supervisor.layout import Layout, write_secret


class Command(BaseCommand):
    help = (
        "Migrate the database, enrol this machine's gateway nodes, heal the nodes' entries, and make the first "
        "administrator and, with --httpbin, the demo."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--nodes", type=int, default=1)
        parser.add_argument("--httpbin", default="", help="Where the demo's backend will listen.")

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        partitions.maintain()
        layout = Layout(settings.GATEHOUSE_VAR)
        for number in range(1, options["nodes"] + 1):
            enrol(f"node-{number}", layout.node(number) / "token")
        rebuild()
        seed(kept=Secrets(layout.demo_file), httpbin_url=options["httpbin"], demo=bool(options["httpbin"]))


def enrol(name: str, token_file: Path) -> None:
    """Make a node and keep its token for the agent, unless that was done before."""
    if token_file.exists() and Node.objects.filter(name=name).exists():
        return
    # a node of that name without its token (or a token without its node) is of no use: start it anew
    Node.objects.filter(name=name).delete()
    _, token = create_node(name=name, actor=None)
    write_secret(token_file, token + "\n")
