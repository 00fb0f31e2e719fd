"""An invoice as its page shows it: parties as they were when it was made, lines by subscription."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from billing.models import Invoice, InvoiceLine


@dataclass(frozen=True, slots=True)
class LineGroup:
    """The lines of one subscription, in the invoice's order."""

    name: str
    lines: list[InvoiceLine]
    subtotal: Decimal


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """`provider` and `customer` are {name, email}."""

    invoice: Invoice
    provider: dict[str, str]
    customer: dict[str, str]
    groups: list[LineGroup]


def page_of(invoice: Invoice) -> InvoicePage:
    """Arrange an invoice that was loaded with `billing.queries.with_lines`."""
    groups = [
        _group(lines) for _, lines in groupby(invoice.lines.all(), key=lambda line: line.subscription_id)
    ]
    return InvoicePage(
        invoice,
        _party(invoice.frozen.get("provider"), invoice.organization),
        _party(invoice.frozen.get("customer"), invoice.customer),
        groups,
    )


def _group(lines: Any) -> LineGroup:
    members = list(lines)
    subscription = members[0].subscription
    name = f"{subscription.application.name} on {subscription.plan.name}"
    return LineGroup(name, members, sum((line.amount for line in members), Decimal(0)))


def _party(frozen: dict[str, Any] | None, organization: Any) -> dict[str, str]:
    """What was frozen, else (a draft) what holds now."""
    source = frozen or {"name": organization.name, "billing_email": organization.billing_email}
    return {"name": source.get("name", ""), "email": source.get("billing_email", "")}
