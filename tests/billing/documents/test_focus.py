"""FOCUS rows: columns and allowed values of the specification, and amounts that add up."""

from decimal import Decimal

import pytest

from billing.credit_notes import credit_invoice
from billing.documents.content import invoice_document
from billing.documents.focus import COLUMNS, invoice_rows
from billing.documents.usage_and_cost import focus_csv, invoices_of_month
from billing.invoices import void
from billing.models import Invoice
from billing.periods import month
from billing.queries import with_lines
from tests.billing.documents.factories import loaded, make_bill
from tests.billing.documents.test_csv import table
from tests.billing.factories import NOVEMBER, OCTOBER, close, november, october, subscribed, use
from tests.factories import make_organization

pytestmark = pytest.mark.django_db
D = Decimal

# "must not be null" in FOCUS 1.2, for a provider without commitment discounts and capacity reservations
MANDATORY = {
    "BilledCost", "BillingAccountId", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart",
    "ChargeCategory", "ChargeDescription", "ChargePeriodEnd", "ChargePeriodStart", "ContractedCost",
    "EffectiveCost", "InvoiceIssuerName", "ListCost", "ProviderName", "PublisherName", "ServiceCategory",
    "ServiceName",
}  # fmt: skip
ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Tax", "Credit", "Adjustment"},
    "ChargeClass": {None, "Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {None, "Standard", "Dynamic", "Committed", "Other"},
    "ServiceCategory": {"Integration"},
}


def check(rows):
    for row in rows:
        assert set(row) <= set(COLUMNS)
        assert all(row.get(column) not in (None, "") for column in MANDATORY)
        assert all(row.get(column) in values for column, values in ALLOWED.items())
        if row["ChargeCategory"] in ("Usage", "Purchase"):
            assert row["ListUnitPrice"] * row["PricingQuantity"] == row["ListCost"]
        assert (row.get("ConsumedQuantity") is not None) == (row["ChargeCategory"] == "Usage")
        assert row["ChargePeriodStart"] < row["ChargePeriodEnd"]


@pytest.mark.parametrize("rate", [{}, {"inclusive": True}, {"inclusive": True, "percent": D("7.77")}])
def test_billed_cost_adds_up_to_the_total(rate):
    invoice = make_bill(**rate)
    rows = list(invoice_rows(invoice))
    check(rows)
    assert sum(row["BilledCost"] for row in rows) == invoice.total
    assert sum(row["BilledCost"] for row in rows if row["ChargeCategory"] != "Tax") == invoice.subtotal
    assert [row["ChargeCategory"] for row in rows] == ["Purchase", *["Usage"] * 4, "Tax"]


def test_a_usage_row_in_full():
    invoice = make_bill()
    subscription = invoice.lines.all()[1].subscription
    row = list(invoice_rows(invoice))[2]
    item = invoice.lines.all()[2].item
    card = item.split(":")[1].partition(".")[0]
    assert row == {
        "BilledCost": D("2.80"),
        "BillingAccountId": invoice.customer_id,
        "BillingAccountName": "Bob & Söhne <KG>",
        "BillingAccountType": "Organization",
        "BillingCurrency": "USD",
        "BillingPeriodStart": OCTOBER.start,
        "BillingPeriodEnd": OCTOBER.end,
        "ChargeCategory": "Usage",
        "ChargeDescription": f"{subscription.application.name}, Pro: "
        "Requests, above 333,000,000 up to 1,000,000,000",
        "ChargeFrequency": "Usage-Based",
        "ChargePeriodStart": OCTOBER.start,
        "ChargePeriodEnd": OCTOBER.end,
        "ConsumedQuantity": D(1_000_000),
        "ConsumedUnit": "Requests",
        "ContractedCost": D("2.8"),
        "ContractedUnitPrice": D("0.0000028"),
        "EffectiveCost": D("2.80"),
        "InvoiceId": invoice.label,
        "InvoiceIssuerName": "Acme APIs GmbH",
        "ListCost": D("2.8"),
        "ListUnitPrice": D("0.0000028"),
        "PricingCategory": "Standard",
        "PricingQuantity": D(1_000_000),
        "PricingUnit": "Requests",
        "ProviderName": "Acme",
        "PublisherName": "Acme",
        "ResourceId": subscription.pk,
        "ResourceName": f"{subscription.application.name} on Pro",
        "ResourceType": "Subscription",
        "ServiceCategory": "Integration",
        "ServiceName": "Acme APIs",
        "ServiceSubcategory": "API Management",
        "RegionId": None,
        "RegionName": None,
        "SkuId": f"{card}:requests",
        "SkuMeter": "Requests",
        "SkuPriceId": item,
        "SubAccountId": subscription.application_id,
        "SubAccountName": subscription.application.name,
        "SubAccountType": "Application",
        "Tags": "{}",
        "x_InvoiceState": "finalized",
    }


@pytest.mark.parametrize("rate", [{}, {"inclusive": True, "percent": D("7.77")}])
def test_a_line_that_subscriptions_share_has_a_row_for_each(rate):
    first = make_bill(**rate)
    one = first.lines.all()[1].subscription
    two = subscribed(one.plan, first.customer)
    use(one, november(3), 300_000_000)
    use(two, november(3), 100_000_000)
    (invoice,) = close(first.organization, period=NOVEMBER, at=NOVEMBER.end)
    rows = list(invoice_rows(with_lines(Invoice.objects.all()).get(pk=invoice.pk)))
    check(rows)
    assert sum(row["BilledCost"] for row in rows) == invoice.total
    used = [row for row in rows if row.get("SkuMeter") == "Requests"]
    by_application = {row["SubAccountName"]: D(0) for row in used}
    for row in used:
        by_application[row["SubAccountName"]] += row["ConsumedQuantity"]
    assert by_application == {one.application.name: 300_000_000, two.application.name: 100_000_000}
    (group,) = [each for each in invoice_document(invoice).groups if each.name == "All applications, AWS"]
    assert {name for name, _, _ in group.rows[0].parts} == {
        f"{each.application.name} on Pro" for each in (one, two)
    }


def test_credit_notes_and_late_counts_are_corrections():
    invoice = make_bill()
    credit_invoice(invoice=invoice, reason="An outage", amount=D(119), actor=None)
    credit = list(invoice_rows(loaded()))[-1]
    assert (credit["ChargeCategory"], credit["ChargeClass"], credit["BilledCost"]) == (
        "Credit",
        "Correction",
        -119,
    )
    use(invoice.lines.all()[1].subscription, october(9), 1_000_000)
    (november,) = close(invoice.organization, period=NOVEMBER, at=NOVEMBER.end)
    late = [row for row in invoice_rows(november) if row.get("ChargeClass") == "Correction"]
    check(late)
    assert [(row["ChargePeriodStart"], row["BillingPeriodStart"]) for row in late] == [
        (OCTOBER.start, NOVEMBER.start)
    ]


def test_a_month_of_a_customer_and_of_a_provider_and_nobody_elses():
    invoice = make_bill()
    october = month(2026, 10, "UTC")
    for organization, side, found in (
        (invoice.customer, "customer", [invoice]),
        (invoice.organization, "provider", [invoice]),
        (invoice.customer, "provider", []),
        (make_organization(), "customer", []),
    ):
        assert list(invoices_of_month(organization, side, october)) == found
    assert not invoices_of_month(invoice.customer, "customer", NOVEMBER).exists()
    void(invoice=invoice, actor=None)
    assert not invoices_of_month(invoice.customer, "customer", october).exists()


def test_the_table_has_every_column_and_moments_in_utc():
    invoice = make_bill()
    rows = table(focus_csv(invoices_of_month(invoice.customer, "customer", month(2026, 10, "UTC"))))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["BillingPeriodStart"] == "2026-10-01T00:00:00Z"
    assert sum(D(row["BilledCost"]) for row in rows) == invoice.total
