"""`manage.py prepare`: what must be true of the database before anything starts."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from metering import partitions
from nodes.models import Node
from nodes.rebuild import rebuild
from nodes.registry import create_node
from portal.supervisor.layout import Layout, write_secret


class Command(BaseCommand):
    help = "Migrate the database, enrol this machine's gateway nodes, and heal the nodes' entries."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--nodes", type=int, default=1)

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        partitions.maintain()
        layout = Layout(settings.GATEHOUSE_VAR)
        for number in range(1, options["nodes"] + 1):
            enrol(f"node-{number}", layout.node(number) / "token")
        rebuild()


def enrol(name: str, token_file: Path) -> None:
    """Make a node and keep its token for the agent, unless that was done before."""
    if token_file.exists() and Node.objects.filter(name=name).exists():
        return
    # a node of that name without its token (or a token without its node) is of no use: start it anew
    Node.objects.filter(name=name).delete()
    _, token = create_node(name=name, actor=None)
    write_secret(token_file, token + "\n")
