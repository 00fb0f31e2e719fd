"""An invoice as its page shows it: parties as they were when it was made, lines by subscription."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any

from billing.models import Invoice, InvoiceLine


@dataclass(frozen=True, slots=True)
class Line:
    """A line without the name of its subscription, which stands above its group."""

    words: str
    meter: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class LineGroup:
    """The lines of one subscription, in the invoice's order."""

    name: str
    lines: list[Line]
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
    frozen = {each["id"]: each for each in invoice.frozen.get("subscriptions", [])}
    by_subscription = groupby(invoice.lines.all(), key=lambda line: line.subscription_id)
    return InvoicePage(
        invoice,
        _party(invoice.frozen.get("provider"), invoice.organization),
        _party(invoice.frozen.get("customer"), invoice.customer),
        [_group(list(lines), frozen.get(pk)) for pk, lines in by_subscription],
    )


def _group(lines: list[InvoiceLine], frozen: dict[str, Any] | None) -> LineGroup:
    """Named as when the invoice was made: later names must not change it."""
    subscription = lines[0].subscription
    application = frozen["application"]["name"] if frozen else subscription.application.name
    plan = frozen["plan"]["name"] if frozen else subscription.plan.name
    prefix = f"{application}, {plan}: "
    shown = [
        Line(each.description.removeprefix(prefix), each.meter, each.quantity, each.unit_price, each.amount)
        for each in lines
    ]
    return LineGroup(f"{application} on {plan}", shown, sum((line.amount for line in lines), Decimal(0)))


def _party(frozen: dict[str, Any] | None, organization: Any) -> dict[str, str]:
    """What was frozen, else (a draft) what holds now."""
    source = frozen or {"name": organization.name, "billing_email": organization.billing_email}
    return {"name": source.get("name", ""), "email": source.get("billing_email", "")}
