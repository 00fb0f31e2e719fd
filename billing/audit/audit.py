"""An invoice recomputed: the verb behind the command, the button and REST."""

from dataclasses import dataclass, field
from typing import Any

from billing.audit.bundle import make_bundle
from billing.audit.recompute import check
from billing.models import Invoice


@dataclass(frozen=True, slots=True)
class Audit:
    """`lines`: {month, item, description, billed, recomputed, ok}, the two as {"quantity", "amount"} (text).

    `findings`: {kind, text, record}: records or seals that are not as they were; `remarks`: what is left out, and
    why.
    """

    invoice: Invoice
    ok: bool
    lines: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    remarks: list[str]
    records: int
    seals: int
    raw: dict[str, Any] = field(repr=False)


def audit(*, invoice: Invoice) -> Audit:
    """Recompute every line of a finalized invoice from the records of its use, and check these against their seals.

    Nothing is written. Refused for a draft, and for an invoice that is too old to have what it takes.
    """
    bundle = make_bundle(invoice)
    found = check(
        bundle.invoice, bundle.price_list, list(bundle.records()), list(bundle.meters()), bundle.seals
    )
    return Audit(invoice=invoice, raw=found, **found)
