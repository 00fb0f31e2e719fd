"""`manage.py demo`: the first administrator and the demo's API, plans and developers; `--scale`: a year of usage."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.timezone import now

from accounts.errors import Refused
from portal.demo.people import Secrets
from portal.demo.scale.generate import generate
from portal.demo.seed import seed
from portal.supervisor.layout import Layout


class Command(BaseCommand):
    help = (
        "Make the first administrator and the demo, unless they are there. Safe to repeat. "
        "With --scale, make a provider with many subscriptions and a year of their usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--httpbin", help="Where the demo's backend listens; not for --scale.")
        parser.add_argument("--scale", action="store_true", help="The demo at scale.")
        parser.add_argument("--subscriptions", type=int, default=1_000)
        parser.add_argument("--days", type=int, default=365, help="Days of usage, up to now.")
        parser.add_argument("--seed", type=int, default=1, help="Another number makes other usage.")
        parser.add_argument(
            "--anyway", action="store_true", help="Also where there are accounts or calls of others."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kept = Secrets(Layout(settings.GATEHOUSE_VAR).demo_file)
        if options["scale"]:
            self._scale(kept, options)
            return
        if not options["httpbin"]:
            raise CommandError("Say where the demo's backend listens: --httpbin http://127.0.0.1:PORT")
        seed(kept=kept, httpbin_url=options["httpbin"], demo=True)

    def _scale(self, kept: Secrets, options: dict[str, Any]) -> None:
        wanted = {name: options[name] for name in ("subscriptions", "days", "seed", "anyway")}
        try:
            made = generate(kept=kept, at=now(), **wanted)
        except Refused as error:
            raise CommandError(error.message) from error
        self.stdout.write(
            f"{made.provider}: {made.subscriptions:,} subscriptions of {made.organizations:,} customers, "
            f"{made.days:,} day records, {made.invoices:,} invoices, "
            f"{made.requests:,} calls in the request log.\n"
            f"Its owner is the administrator; {made.developer} owns the largest customer. "
            f"Their passwords are in {kept.file.name}."
        )
