"""Usage and cost in the columns of FOCUS 1.2 (FinOps Open Cost and Usage Specification, focus.finops.org).

One row for each invoice line (or each subscription's part of it, where several share it), tax and credit note.
Within an invoice BilledCost adds up to its total: taxes that prices contain are taken out of the lines' rows,
because they have rows of their own.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from billing.currencies import DECIMALS
from billing.differences import CARRIED
from billing.documents.content import Named, subscriptions_of
from billing.items import QUANTITY, divide
from billing.meters import name_of
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
# first word of a line's item -> category, for what is neither usage nor a fee
KINDS = {"discount": "Credit", "maximum": "Adjustment", "minimum": "Adjustment", CARRIED: "Adjustment"}
Row = dict[str, Any]


def invoice_rows(invoice: Invoice) -> Iterator[Row]:
    """Yield the rows of an invoice (`billing.queries.with_lines`), and of its credit notes, as column -> value."""
    common = _common(invoice)
    names = subscriptions_of(invoice)
    lines = list(invoice.lines.all())
    for line, net in zip(lines, net_amounts(invoice, lines), strict=True):
        for row in _lines(invoice, line, net, names):
            yield common | row
    for tax in invoice.taxes.all():
        words = f"{tax.label}: {tax.note}" if tax.note else tax.label
        yield common | _charge("Tax", words, tax.amount)
    for note in invoice.credit_notes.all():
        yield common | _credit(note)


def values(rows: Iterable[Row]) -> Iterator[list[Any]]:
    """Turn rows into cells in the order of `COLUMNS`."""
    for row in rows:
        yield [row.get(column) for column in COLUMNS]


def net_amounts(invoice: Invoice, lines: list[InvoiceLine]) -> list[Decimal]:
    """Return the lines' amounts without the taxes they contain; they add up to the subtotal, to the cent."""
    # what was carried over came after the taxes
    taxed = [line for line in lines if line.item != CARRIED]
    whole = sum((line.amount for line in taxed), ZERO)
    subtotal = invoice.subtotal - sum((line.amount for line in lines if line.item == CARRIED), ZERO)
    if whole == subtotal or not whole:
        return [line.amount for line in lines]
    nets = divide(subtotal, {str(line.pk): line.amount for line in taxed}, DECIMALS[invoice.currency])
    return [nets.get(str(line.pk), line.amount) for line in lines]


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


def _lines(invoice: Invoice, line: InvoiceLine, net: Decimal, names: dict[str, Named]) -> Iterator[Row]:
    """Yield a line's row; where several subscriptions share it, one for each of them."""
    if not line.breakdown:
        yield _line(invoice, line, net, line.quantity) | _subscription(line.subscription_id, names)
        return
    shares = {pk: (Decimal(units), Decimal(money)) for pk, (units, money) in line.breakdown.items()}
    nets = divide(net, {pk: money for pk, (_, money) in shares.items()}, DECIMALS[invoice.currency])
    for pk, (units, _) in shares.items():
        yield _line(invoice, line, nets[pk], units) | _subscription(pk, names)


def _line(invoice: Invoice, line: InvoiceLine, net: Decimal, quantity: Decimal) -> Row:
    kind = line.item.partition(":")[0]
    if line.meter:
        row = _charge("Usage", line.description, net) | _priced(line, quantity)
    elif kind in KINDS:
        row = _charge(KINDS[kind], line.description, net)
    else:
        row = _charge("Purchase", line.description, net) | _priced(line, quantity)
    if line.month_start != invoice.month_start:
        month = _month(invoice, line.month_start)
        row |= {"ChargePeriodStart": month.start, "ChargePeriodEnd": month.end}
        if line.month_start < invoice.month_start:
            row["ChargeClass"] = "Correction"
    return row


def _priced(line: InvoiceLine, quantity: Decimal) -> Row:
    """What is charged by quantity: usage, and fees by the month."""
    usage = bool(line.meter)
    unit, meter = METERS.get(line.meter, ("Units", name_of(line.meter))) if usage else ("Months", None)
    priced, of = line.quantity if line.packages is None else line.packages, line.quantity
    with localcontext(EXACT):
        share = quantity / of if of else Decimal(1)
        listed = (priced * line.unit_price + line.flat_fee) * share
        pricing = (priced * share).quantize(QUANTITY)
        # cost = unit price times quantity, says the specification: a flat fee is part of each unit's price
        exact = not line.flat_fee and pricing * line.unit_price == listed
        each = line.unit_price if exact or not pricing else listed / pricing
    _, price, _, region, *_ = [*line.item.split(":"), "", "", "", ""]
    return {
        "ChargeFrequency": "Usage-Based" if usage else "Recurring",
        "ConsumedQuantity": quantity if usage else None,
        "ConsumedUnit": unit if usage else None,
        "ListCost": listed,
        "ContractedCost": listed,
        "ListUnitPrice": each,
        "ContractedUnitPrice": each,
        "PricingCategory": "Standard",
        "PricingQuantity": pricing,
        "PricingUnit": unit if line.packages is None else "Packages",
        "RegionId": (region or None) if usage else None,
        "RegionName": (region or None) if usage else None,
        "SkuId": f"{price.partition('.')[0]}:{line.meter}" if usage else "fee",
        "SkuMeter": meter,
        "SkuPriceId": line.item or None,
    }


def _subscription(pk: str | None, names: dict[str, Named]) -> Row:
    named = names.get(pk or "")
    if named is None:
        return {}
    return {
        "ResourceId": pk,
        "ResourceName": str(named),
        "ResourceType": "Subscription",
        "SubAccountId": named.application_id,
        "SubAccountName": named.application,
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
