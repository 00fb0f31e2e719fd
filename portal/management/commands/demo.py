"""`manage.py demo`: the first administrator and the demo's API, plans and developers."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from portal.demo.people import Secrets
from portal.demo.seed import seed
from portal.supervisor.layout import Layout


class Command(BaseCommand):
    help = "Make the first administrator and the demo, unless they are there. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--httpbin", required=True, help="Where the demo's backend listens.")
        parser.add_argument("--empty", action="store_true", help="Only the administrator.")

    def handle(self, *args: Any, **options: Any) -> None:
        layout = Layout(settings.GATEHOUSE_VAR)
        seed(
            kept=Secrets(layout.demo_file),
            httpbin_url=options["httpbin"],
            demo=not options["empty"],
        )
