"""`manage.py close_period`: make the invoices of a month."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now

from accounts.errors import Refused
from accounts.models import Organization
from billing.currencies import round_money
from billing.invoices import close_period
from billing.models import BillingRun, Invoice
from billing.month_end import last_month, providers
from billing.periods import Period, month_of, parse_month
from billing.progress import words_of
from metering.rollup import process_pending

# more invoices than these are counted, not listed
NAMED = 100


class Command(BaseCommand):
    help = (
        "Make the invoices of a month for every provider: what was used, less what was billed before. "
        "Running it again makes nothing new."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group()
        which.add_argument(
            "--month",
            metavar="YYYY-MM",
            help="the month to close (default: the last one that is over; where nothing is left to bill of it, "
            "the running month up to this moment)",
        )
        which.add_argument("--now", action="store_true", help="close the running month up to this moment")
        parser.add_argument("--provider", metavar="SLUG", help="only this organization's customers")

    def handle(self, *args: Any, **options: Any) -> None:
        while process_pending():
            pass  # counts that have arrived belong on the bill
        chosen = providers()
        if options["provider"]:
            chosen = chosen.filter(slug=options["provider"])
            if not chosen:
                raise CommandError(f"No provider {options['provider']!r} has subscriptions.")
        made = 0
        for provider in chosen:
            try:
                made += self._close(provider, options)
            except Refused as refused:
                raise CommandError(refused.message) from refused
        self.stdout.write(f"{made} invoice{'' if made == 1 else 's'} made." if made else "Nothing to bill.")

    def _close(self, provider: Organization, options: dict[str, Any]) -> int:
        at = now()
        for period in _periods(provider, at, options):
            ids = close_period(
                provider=provider,
                period=period,
                at=at,
                corrections=True,
                actor=None,
                progress=self._show if self.stdout.isatty() else None,
            )
            if ids:
                self._tell(provider, period, ids)
                return len(ids)
        return 0

    def _show(self, run: BillingRun) -> None:
        """Say on one line, again and again, how far it is; the line is empty once all is done."""
        text = f"{run.organization.name}, {run.period.label}: {words_of(run)}"
        self.stdout.write(f"\r\x1b[K{text if run.customers_done < run.customers else ''}", ending="")
        self.stdout.flush()

    def _tell(self, provider: Organization, period: Period, ids: list[str]) -> None:
        if len(ids) > NAMED:
            self.stdout.write(f"{provider.name}: {len(ids):,} invoices, {period.label}")
            return
        for invoice in Invoice.objects.filter(pk__in=ids).select_related("customer").order_by("number"):
            total = f"{round_money(invoice.total, invoice.currency)} {invoice.currency}"
            what = f"invoice {invoice.label} to {invoice.customer.name}, {period.label}"
            self.stdout.write(f"{provider.name}: {what}: {total}")


def _periods(provider: Organization, at: datetime, options: dict[str, Any]) -> list[Period]:
    """Return the months to try; the first one with something to bill is closed."""
    running = month_of(at, provider.timezone)
    if options["now"]:
        return [running]
    if options["month"]:
        return [parse_month(options["month"], provider.timezone)]
    return [last_month(provider, at), running]
