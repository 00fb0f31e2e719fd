"""Credit notes: numbers without gaps, never more than the invoice, and what they do to what is owed."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.errors import Refused
from billing.credit_notes import credit_invoice
from billing.invoices import mark_paid, void
from billing.ledger.balances import balance
from billing.ledger.grants import grant
from billing.models import CreditNote
from billing.tax_rates import create_tax_rate
from tests.billing.factories import (
    NOVEMBER,
    close_one,
    make_priced_plan,
    make_rate_card,
    october,
    still_due,
    subscribed,
    use,
)
from tests.factories import audit_actions, make_user

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def invoice():
    """Base fee 10, requests 3.50, VAT 19 % = 2.57 (on 13.50): 16.07."""
    plan = make_priced_plan(make_rate_card(base_fee="10"), name="Pro")
    create_tax_rate(organization=plan.organization, name="VAT", percent=D(19), actor=None)
    use(subscribed(plan), october(5), 1_000_000)
    return close_one(plan.organization)


def credit(invoice, **fields):
    note = credit_invoice(invoice=invoice, **({"reason": "An outage", "actor": None} | fields))
    invoice.refresh_from_db()
    return note


def money(note):
    return (note.subtotal, note.tax_total, note.total, note.refunded)


def test_a_credit_takes_off_what_is_owed(invoice):
    note = credit(invoice, amount=D("5.00"))
    assert money(note) == (D("4.20"), D("0.80"), D("5.00"), 0)
    assert (invoice.state, invoice.amount_due, invoice.total) == ("finalized", D("11.07"), D("16.07"))
    assert note.label == f"CN-{note.issued_at.year}-000001"
    assert (note.lines.get().amount, note.taxes.get().amount) == (D("4.20"), D("0.80"))


def test_a_credit_by_line_brings_the_lines_tax(invoice):
    note = credit(invoice, lines={2: D("3.50")})
    assert money(note) == (D("3.50"), D("0.67"), D("4.17"), 0)
    line = note.lines.get()
    assert line.description.endswith("Requests, first 333,000,000")
    assert line.invoice_line.position == 2


def test_crediting_all_settles_the_invoice_and_numbers_have_no_gap(invoice):
    first, second = credit(invoice, amount=D("0.01")), credit(invoice)
    assert (first.number, second.number, second.total) == (1, 2, D("16.06"))
    assert first.tax_total + second.tax_total == D("2.57")
    assert (invoice.state, invoice.amount_due) == ("paid", 0)
    assert invoice.paid_at == second.issued_at


def test_what_was_paid_goes_back_to_the_customer(invoice):
    credit(invoice, amount=D(6))
    mark_paid(invoice=invoice, actor=None)
    note = credit(invoice, amount=D(10))
    assert money(note)[2:] == (10, 10)
    assert invoice.amount_due == 0
    parties = {"provider": invoice.organization, "customer": invoice.customer, "currency": "USD"}
    assert balance(**parties) == 10


def test_a_credit_that_is_partly_paid_goes_both_ways_in_the_ledger(invoice):
    grant(
        provider=invoice.organization,
        customer=invoice.customer,
        amount=D(9),
        currency="USD",
        at=NOVEMBER.start,
        actor=None,
    )
    parties = {"provider": invoice.organization, "customer": invoice.customer, "currency": "USD"}
    second = close_one(invoice.organization, period=NOVEMBER, at=NOVEMBER.end)
    # base fee 10 and VAT 1.90, of which credits paid 9
    assert (second.total, second.amount_due, balance(**parties)) == (D("11.90"), D("2.90"), 0)
    note = credit(second)
    assert money(note) == (D(10), D("1.90"), D("11.90"), D(9))
    assert (second.state, second.amount_due, still_due(second)) == ("paid", 0, 0)
    assert balance(**parties) == 9


@pytest.mark.parametrize(
    ("fields", "field", "code"),
    [
        ({"amount": D("16.08")}, "amount", "too_much"),
        ({"amount": D(0)}, "amount", "invalid"),
        ({"lines": {1: D("10.01")}}, "lines", "too_much"),
        ({"lines": {7: D(1)}}, "lines", "does_not_exist"),
        ({"lines": {}}, "lines", "invalid"),
        ({"lines": {1: D(1)}, "amount": D(1)}, "lines", "invalid"),
        ({"reason": " "}, "reason", "invalid"),
        ({"reason": "x" * 301}, "reason", "invalid"),
    ],
)
def test_what_cannot_be_credited_is_refused_and_leaves_no_number(invoice, fields, field, code):
    with pytest.raises(Refused) as refused:
        credit(invoice, **fields)
    assert (refused.value.field, refused.value.code) == (field, code)
    assert credit(invoice).number == 1


def test_a_line_is_credited_once_and_the_invoice_never_beyond_its_total(invoice):
    credit(invoice, lines={1: D(6)})
    with pytest.raises(Refused, match="Only 4 USD of line 1"):
        credit(invoice, lines={1: D(5)})
    credit(invoice)
    with pytest.raises(Refused, match="Only 0 USD"):
        credit(invoice, amount=D("0.01"))


def test_a_void_invoice_is_not_credited_and_a_credited_one_not_voided(invoice):
    credit(invoice, amount=D(1))
    with pytest.raises(Refused, match="Credit the rest") as refused:
        void(invoice=invoice, actor=None)
    assert refused.value.code == "credited"
    other = make_priced_plan(make_rate_card(base_fee="1"))
    subscribed(other)
    gone = void(invoice=close_one(other.organization), actor=None)
    with pytest.raises(Refused, match="is void"):
        credit(gone)


def test_who_credited_what_and_why_is_on_record(invoice):
    alice = make_user("alice")
    note = credit(invoice, amount=D(1), actor=alice, reason=" An  outage\non Monday ")
    assert (note.reason, note.issued_by) == ("An outage on Monday", alice)
    assert audit_actions()[-1] == "invoice.credited"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_creditnote SET total = 1, subtotal = 1, tax_total = 0",
        "DELETE FROM billing_creditnote",
        "UPDATE billing_creditnoteline SET amount = 1",
        "DELETE FROM billing_creditnotetax",
        """INSERT INTO billing_creditnoteline
           SELECT (jsonb_populate_record(l, '{"id": 9999}')).* FROM billing_creditnoteline l""",
    ],
)
def test_the_database_refuses_to_change_a_credit_note(invoice, statement):
    credit(invoice, amount=D(5))
    with (
        pytest.raises(IntegrityError, match="never change"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_person_who_leaves_is_forgotten_by_her_credit_notes(invoice):
    alice = make_user("alice")
    credit(invoice, amount=D(5), actor=alice)
    alice.delete()
    assert CreditNote.objects.get().issued_by is None
