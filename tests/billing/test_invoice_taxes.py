"""Taxes on invoices: which rates fit a customer, what is printed, and that it stays."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.errors import Refused
from billing.models import FinalizedInvoiceError, InvoiceTax
from billing.profiles import change_billing_profile, set_customer_terms
from billing.tax_rates import change_tax_rate, create_tax_rate, delete_tax_rate
from tests.billing.factories import (
    AFTER_OCTOBER,
    NOVEMBER,
    OCTOBER,
    close,
    close_one,
    make_priced_plan,
    october,
    subscribed,
    use,
)
from tests.factories import audit_actions, make_organization, make_user

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def bob(pro):
    """A German customer who owes 13.50 net for October."""
    customer = make_organization(make_user("bob"), name="Bob's")
    change_billing_profile(
        organization=customer,
        legal_name="Bob GmbH",
        address="Weg 1\n10115 Berlin",
        country="de",
        tax_ids=[{"kind": "VAT ID", "value": "DE123456789"}],
        actor=None,
    )
    use(subscribed(pro, customer), october(5), 1_000_000)
    return customer


def rate(pro, **fields):
    given = {"name": "VAT", "percent": D(19)} | fields
    return create_tax_rate(organization=pro.organization, actor=None, **given)


def taxes(invoice):
    return [(each.label, each.base, each.amount, each.note) for each in invoice.taxes.all()]


def test_a_tax_is_added_to_the_lines_and_listed(pro, bob):
    rate(pro, country="DE")
    invoice = close_one(pro.organization)
    assert taxes(invoice) == [("VAT 19 %", D("13.50"), D("2.57"), "")]
    money = (invoice.subtotal, invoice.tax_total, invoice.total, invoice.amount_due)
    assert money == (D("13.50"), D("2.57"), D("16.07"), D("16.07"))


def test_a_contained_tax_leaves_the_total_as_it_is(pro, bob):
    rate(pro, inclusive=True)
    invoice = close_one(pro.organization)
    assert (invoice.subtotal, invoice.tax_total, invoice.total) == (D("11.34"), D("2.16"), D("13.50"))


@pytest.mark.parametrize(
    ("fields", "fits"),
    [
        ({}, True),
        ({"country": "DE"}, True),
        ({"country": "FR"}, False),
        ({"country": "DE", "region": "BE"}, False),
        ({"valid_from": OCTOBER.end}, False),
        ({"valid_from": OCTOBER.end - timedelta(seconds=1)}, True),
        ({"valid_until": OCTOBER.end}, True),
        ({"valid_until": OCTOBER.end - timedelta(seconds=1)}, False),
    ],
)
def test_a_rate_fits_by_place_and_time(pro, bob, fields, fits):
    rate(pro, **fields)
    assert bool(close_one(pro.organization).tax_total) is fits


def test_a_region_is_told_apart(pro, bob):
    change_billing_profile(organization=bob, country="US", region="ca", actor=None)
    rate(pro, name="State", percent=D("7.25"), country="US", region="CA")
    rate(pro, name="State", percent=D(4), country="US", region="NY")
    rate(pro, name="City", percent=D("1"), country="US", region="CA")
    assert [row[0] for row in taxes(close_one(pro.organization))] == ["City 1 %", "State 7.25 %"]


def test_a_rate_for_chosen_customers_is_for_them_alone(pro, bob):
    use(subscribed(pro), october(5), 1)
    rate(pro, customers=[bob])
    by_customer = {each.customer: each.tax_total for each in close(pro.organization)}
    assert by_customer.pop(bob) == D("2.57")
    assert list(by_customer.values()) == [0]


def test_a_rate_of_another_provider_is_never_charged(pro, bob):
    rate(make_priced_plan(), name="Foreign")
    assert taxes(close_one(pro.organization)) == []


def test_reverse_charge_and_exemption_say_why_nothing_is_charged(pro, bob):
    rate(pro, country="DE", reverse_charge_note="Steuerschuldnerschaft des Leistungsempfängers")
    set_customer_terms(
        provider=pro.organization, customer=bob, tax_treatment="reverse_charge", due_days=30, actor=None
    )
    first = close_one(pro.organization)
    note = "Steuerschuldnerschaft des Leistungsempfängers"
    assert taxes(first) == [("Reverse charge", D("13.50"), 0, note)]
    assert first.total == D("13.50")
    assert first.due_at == AFTER_OCTOBER + timedelta(days=30)
    set_customer_terms(
        provider=pro.organization, customer=bob, tax_treatment="exempt", tax_note="Certificate 7", actor=None
    )
    second = close_one(pro.organization, period=NOVEMBER, at=NOVEMBER.end)
    assert taxes(second) == [("Tax exempt", D(10), 0, "Certificate 7")]


def test_the_parties_are_frozen_as_they_were(pro, bob):
    change_billing_profile(
        organization=pro.organization, legal_name="Acme Inc.", payment_instructions="IBAN 1", actor=None
    )
    invoice = close_one(pro.organization)
    change_billing_profile(organization=bob, legal_name="Other", address="", actor=None)
    invoice.refresh_from_db()
    assert invoice.frozen["customer"]["legal_name"] == "Bob GmbH"
    assert invoice.frozen["customer"]["address"] == "Weg 1\n10115 Berlin"
    assert invoice.frozen["customer"]["tax_ids"] == [{"kind": "VAT ID", "value": "DE123456789"}]
    assert invoice.frozen["provider"]["payment_instructions"] == "IBAN 1"
    assert invoice.frozen["customer"]["name"] == "Bob's"


def test_a_changed_rate_leaves_invoices_alone_and_a_charged_one_cannot_be_removed(pro, bob):
    vat = rate(pro)
    invoice = close_one(pro.organization)
    change_tax_rate(tax_rate=vat, percent=D(25), name="Dearer", actor=None)
    assert taxes(invoice)[0][0] == "VAT 19 %"
    with pytest.raises(Refused, match="valid_until") as refused:
        delete_tax_rate(tax_rate=vat, actor=None)
    assert refused.value.field == "valid_until"
    unused = rate(pro, country="FR")
    delete_tax_rate(tax_rate=unused, actor=None)
    assert audit_actions()[-3:] == ["tax_rate.changed", "tax_rate.created", "tax_rate.deleted"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_invoicetax SET amount = 0",
        "DELETE FROM billing_invoicetax",
        """INSERT INTO billing_invoicetax
           SELECT (jsonb_populate_record(t, '{"id": 99, "position": 9}')).* FROM billing_invoicetax t""",
        "UPDATE billing_invoice SET tax_total = 0, total = subtotal",
        "UPDATE billing_invoice SET due_at = now()",
    ],
)
def test_taxes_of_a_finalized_invoice_stay(pro, bob, statement):
    rate(pro)
    close_one(pro.organization)
    with (
        pytest.raises(IntegrityError, match="never change"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    with pytest.raises(FinalizedInvoiceError):
        InvoiceTax.objects.get().delete()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"percent": D(101)}, "percent"),
        ({"percent": D("-1")}, "percent"),
        ({"country": "XX"}, "country"),
        ({"region": "CA"}, "country"),
        ({"name": ""}, "name"),
        ({"valid_from": OCTOBER.end, "valid_until": OCTOBER.start}, "valid_until"),
    ],
)
def test_a_rate_that_makes_no_sense_is_refused_at_its_field(pro, fields, field):
    with pytest.raises(Refused) as refused:
        rate(pro, **fields)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"country": "Germany"}, "country"),
        ({"tax_ids": "DE1"}, "tax_ids"),
        ({"tax_ids": [{"kind": "VAT ID"}]}, "tax_ids"),
        ({"tax_ids": [{"kind": "VAT ID", "value": " "}]}, "tax_ids"),
        ({"tax_ids": [{"kind": "a", "value": "b"}] * 6}, "tax_ids"),
        ({"legal_name": "x" * 201}, "legal_name"),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused_at_its_field(fields, field):
    with pytest.raises(Refused) as refused:
        change_billing_profile(organization=make_organization(), actor=None, **fields)
    assert refused.value.field == field


def test_terms_need_sense_too(pro, bob):
    for fields, field in (
        ({"due_days": 366}, "due_days"),
        ({"tax_note": "why"}, "tax_note"),
        ({"tax_treatment": "never"}, "tax_treatment"),
    ):
        with pytest.raises(Refused) as refused:
            set_customer_terms(provider=pro.organization, customer=bob, actor=None, **fields)
        assert refused.value.field == field
