"""Usage and cost in the columns of FOCUS 1.2 (FinOps Open Cost and Usage Specification, focus.finops.org).

One row for each invoice line, tax and credit note. Within an invoice BilledCost adds up to its total, to the
cent: taxes that prices contain are taken out of the lines' rows, because they have rows of their own.
"""

from collections.abc import Iterable, Iterator
from copy import copy
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from billing.currencies import DECIMALS, round_money
from billing.documents.content import names_of_subscription
from billing.items import divide
from billing.models import CreditNote, Invoice, InvoiceLine
from billing.periods import Period, month_of
from billing.pricing import EXACT, ZERO

# In the order of the specification's table. Columns that we have nothing for (commitment discounts,
# capacity reservations, availability zones) are those it lets providers leave out.
COLUMNS = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency",
    "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription",
    "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "ConsumedQuantity", "ConsumedUnit",
    "ContractedCost", "ContractedUnitPrice", "EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost",
    "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit", "ProviderName", "PublisherName",
    "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName",
    "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceId", "SubAccountId", "SubAccountName",
    "SubAccountType", "Tags", "x_InvoiceState",
)  # fmt: skip
# meter -> FOCUS's name of the unit and of the meter
METERS = {
    "requests": ("Requests", "Requests"),
    "http_requests": ("Requests", "HTTP requests (512 KiB)"),
    "stream_requests": ("Requests", "Streamed requests (10 MiB)"),
    "bytes_out": ("GiB", "Data out"),
    "bytes_in": ("GiB", "Data in"),
    "cache_hours": ("Hours", "Cache"),
}
Row = dict[str, Any]


def invoice_rows(invoice: Invoice) -> Iterator[Row]:
    """Yield the rows of an invoice (`billing.queries.with_lines`), and of its credit notes, as column -> value."""
    common = _common(invoice)
    names = names_of_subscription(invoice)
    lines = list(invoice.lines.all())
    for line, billed in zip(lines, net_amounts(invoice, lines), strict=True):
        for part, cost, subscription_id in _parts(invoice, line, billed):
            row = common | _line(invoice, part, cost, names)
            yield row | _named(invoice, subscription_id) if subscription_id else row
    for tax in invoice.taxes.all():
        words = f"{tax.label}: {tax.note}" if tax.note else tax.label
        yield common | _charge("Tax", words, tax.amount)
    for note in invoice.credit_notes.all():
        yield common | _credit(note)


def _parts(
    invoice: Invoice, line: InvoiceLine, billed: Decimal
) -> Iterator[tuple[InvoiceLine, Decimal, str]]:
    """Yield a line that several subscriptions share as a part for each; the parts add up to it."""
    if not line.breakdown:
        yield line, billed, ""
        return
    shares = {pk: Decimal(money) for pk, (_, money) in line.breakdown.items()}
    costs = divide(billed, shares, DECIMALS[invoice.currency])
    for pk, (units, money) in line.breakdown.items():
        part = copy(line)
        part.quantity, part.amount = Decimal(units), Decimal(money)
        part.flat_fee = part.amount - part.quantity * line.unit_price if line.flat_fee else ZERO
        yield part, costs[pk], pk


def _named(invoice: Invoice, subscription_id: str) -> Row:
    """Whose part of a shared line it is, by the frozen copy."""
    found = next(each for each in invoice.frozen["subscriptions"] if each["id"] == subscription_id)
    application, plan = found["application"], found["plan"]
    return {
        "ResourceId": subscription_id,
        "ResourceName": f"{application['name']} on {plan['name']}",
        "ResourceType": "Subscription",
        "SubAccountId": application["id"],
        "SubAccountName": application["name"],
        "SubAccountType": "Application",
    }


def values(rows: Iterable[Row]) -> Iterator[list[Any]]:
    """Turn rows into cells in the order of `COLUMNS`."""
    for row in rows:
        yield [row.get(column) for column in COLUMNS]


def net_amounts(invoice: Invoice, lines: list[InvoiceLine]) -> list[Decimal]:
    """Return the lines' amounts without the taxes they contain; they add up to the subtotal, to the cent."""
    whole = sum((line.amount for line in lines), ZERO)
    if whole == invoice.subtotal or not whole:
        return [line.amount for line in lines]
    found, gross, before = [], ZERO, ZERO
    with localcontext(EXACT):
        for line in lines:
            gross += line.amount
            so_far = round_money(gross * invoice.subtotal / whole, invoice.currency)
            found.append(so_far - before)
            before = so_far
    return found


def _common(invoice: Invoice) -> Row:
    """What is the same in all rows of an invoice."""
    month = _month(invoice, invoice.month_start)
    provider = invoice.frozen.get("provider", {})
    customer = invoice.frozen.get("customer", {})
    issuer = provider.get("legal_name") or provider.get("name") or invoice.organization.name
    name = provider.get("name") or invoice.organization.name
    return {
        "BillingAccountId": invoice.customer_id,
        "BillingAccountName": customer.get("legal_name") or customer.get("name") or invoice.customer.name,
        "BillingAccountType": "Organization",
        "BillingCurrency": invoice.currency,
        "BillingPeriodStart": month.start,
        "BillingPeriodEnd": month.end,
        "ChargePeriodStart": invoice.period_start,
        "ChargePeriodEnd": invoice.period_end,
        "InvoiceId": invoice.label,
        "InvoiceIssuerName": issuer,
        "ProviderName": name,
        "PublisherName": name,
        "ServiceCategory": "Integration",
        "ServiceSubcategory": "API Management",
        "ServiceName": f"{name} APIs",
        "Tags": "{}",
        "x_InvoiceState": invoice.state,
    }


def _line(invoice: Invoice, line: InvoiceLine, billed: Decimal, names: dict[str, tuple[str, str]]) -> Row:
    usage = bool(line.meter)
    unit, meter = METERS.get(line.meter, ("Units", line.meter)) if usage else ("Months", None)
    with localcontext(EXACT):
        charged = line.quantity if line.packages is None else line.packages
        priced = line.item.partition(":")[0] in ("usage", "fee", "")
        listed = charged * line.unit_price + line.flat_fee if priced else billed
        # cost = unit price times quantity, says the specification: a flat fee is part of each unit's price
        by_units = line.packages is None and not line.flat_fee
        each = listed / line.quantity if line.quantity and not by_units else line.unit_price
    row = _charge("Usage" if usage else "Purchase", line.description, billed) | {
        "ChargeFrequency": "Usage-Based" if usage else "Recurring",
        "ConsumedQuantity": line.quantity if usage else None,
        "ConsumedUnit": unit if usage else None,
        "ListCost": listed,
        "ContractedCost": listed,
        "ListUnitPrice": each,
        "ContractedUnitPrice": each,
        "PricingCategory": "Standard",
        "PricingQuantity": line.quantity,
        "PricingUnit": unit,
        "SkuId": line.meter or "base_fee",
        "SkuMeter": meter,
        "SkuPriceId": f"{line.meter}:{line.tier}" if usage else "base_fee",
    }
    if line.month_start != invoice.month_start:
        month = _month(invoice, line.month_start)
        row |= {
            "ChargeClass": "Correction",
            "ChargePeriodStart": month.start,
            "ChargePeriodEnd": month.end,
        }
    return row | _subscription(line, names)


def _subscription(line: InvoiceLine, names: dict[str, tuple[str, str]]) -> Row:
    subscription = line.subscription
    if subscription is None:
        return {}
    application, plan = names.get(subscription.pk, (subscription.application.name, subscription.plan.name))
    return {
        "ResourceId": subscription.pk,
        "ResourceName": f"{application} on {plan}",
        "ResourceType": "Subscription",
        "SubAccountId": subscription.application_id,
        "SubAccountName": application,
        "SubAccountType": "Application",
    }


def _credit(note: CreditNote) -> Row:
    words = f"Credit note {note.label}: {note.reason}"
    return _charge("Credit", words, -note.total) | {"ChargeClass": "Correction"}


def _charge(category: str, description: str, amount: Decimal) -> Row:
    """A charge whose costs are all the same; nothing is priced by a quantity."""
    return {
        "ChargeCategory": category,
        "ChargeDescription": description,
        "ChargeFrequency": "One-Time",
        "BilledCost": amount,
        "EffectiveCost": amount,
        "ListCost": amount,
        "ContractedCost": amount,
    }


def _month(invoice: Invoice, start: datetime) -> Period:
    return month_of(start, invoice.frozen.get("month", {}).get("timezone") or invoice.organization.timezone)
