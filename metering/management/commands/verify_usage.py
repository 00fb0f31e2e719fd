"""`manage.py verify_usage`: records of usage against the chain that they were sealed in."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from metering.chain.verify import verify
from metering.management.commands.rebuild_usage import day
from metering.models import UsageChain


class Command(BaseCommand):
    help = "Find records of usage that were changed, added or deleted after they were sealed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--organization", help="A developer's id (default: all).")
        parser.add_argument("--from", dest="start", type=day, help="First day (UTC).")
        parser.add_argument("--to", dest="end", type=day, help="The day after the last.")

    def handle(self, *args: Any, **options: Any) -> None:
        one = options["organization"]
        chains = UsageChain.objects.order_by("pk").values_list("pk", flat=True)
        bad = 0
        for pk in [one] if one else chains.iterator():
            report = verify(organization_id=pk, start=options["start"], end=options["end"])
            for finding in report.findings:
                print(f"{pk}: {finding}")
            bad += len(report.findings)
            print(
                f"{pk}: {report.records} records, {report.seals} seals, {report.unsealed} hours to be sealed"
            )
        if bad:
            raise CommandError(f"{bad} differences")
