"""`manage.py audit_invoice`: an invoice recomputed from its records, or all that it takes to do so."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q

from accounts.errors import Refused
from billing.audit.audit import audit
from billing.audit.bundle import make_bundle, write_files
from billing.audit.recompute import table
from billing.models import Invoice


class Command(BaseCommand):
    help = (
        "Recompute every line of an invoice from its records and its price list. Exits with 1 if one differs."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("invoice", help="Its id, or its number (such as 12 or 2026-000012).")
        parser.add_argument("--provider", help="The provider's id or name, where several have such a number.")
        parser.add_argument(
            "--download", type=Path, metavar="DIR", help="Write records and price list there."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        invoice = find_invoice(options["invoice"], options["provider"])
        try:
            if options["download"]:
                write_files(make_bundle(invoice), options["download"])
                print(f"{invoice.label}: see {options['download']}; python3 recompute.py checks it")
                return
            found = audit(invoice=invoice)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        print(f"Invoice {invoice.label} from {invoice.organization} to {invoice.customer}")
        print("\n".join(table(found.raw)))
        if not found.ok:
            raise SystemExit(1)


def find_invoice(name: str, provider: str | None) -> Invoice:
    """Find one by id or number."""
    number = name.rpartition("-")[2]
    which = Q(number=int(number)) if number.isdigit() and int(number) < 2**31 else Q(pk=name)
    found = Invoice.objects.filter(which | Q(pk=name)).select_related("organization", "customer")
    if provider:
        found = found.filter(Q(organization=provider) | Q(organization__name=provider))
    invoices = list(found[:2])
    if not invoices:
        raise CommandError(f"There is no invoice {name}.")
    if len(invoices) > 1:
        raise CommandError(f"Several providers have an invoice {name}: name one with --provider.")
    return invoices[0]
