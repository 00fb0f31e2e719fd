"""Money noted by hand: whole, in parts, too much, twice; and what that does to the invoice and the ledger."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import now

from accounts.errors import Refused
from accounts.models import AuditEvent
from billing.invoices import mark_paid, void
from billing.ledger.balances import balance
from billing.models import InvoiceState, Payment, PaymentState, Processor
from billing.payments.pay import buy_credits, pay_invoice, record_payment
from billing.payments.refunds import refund
from tests.billing.factories import still_due

pytestmark = pytest.mark.django_db


def has(provider, customer):
    return balance(provider=provider, customer=customer, currency="USD")


def test_what_is_due_is_paid(bill):
    payment = record_payment(invoice=bill, reference="SEPA 1", actor=None)
    bill.refresh_from_db()
    assert (bill.state, bill.amount_due, bill.paid_at) == (InvoiceState.PAID, 0, payment.succeeded_at)
    assert (payment.state, payment.amount, payment.processor) == ("succeeded", 25, Processor.MANUAL)
    assert still_due(bill) == 0
    actions = AuditEvent.objects.filter(organization=bill.customer).values_list("action", flat=True)
    assert list(actions) == ["payment.succeeded"]


def test_parts_add_up(bill):
    record_payment(invoice=bill, amount=Decimal("10.00"), reference="first", actor=None)
    bill.refresh_from_db()
    assert (bill.state, bill.amount_due) == (InvoiceState.FINALIZED, 15)
    record_payment(invoice=bill, amount=Decimal("15.00"), reference="second", actor=None)
    bill.refresh_from_db()
    assert (bill.state, bill.amount_due) == (InvoiceState.PAID, 0)


def test_what_is_too_much_becomes_credits(provider, customer, bill):
    payment = record_payment(invoice=bill, amount=Decimal("30.00"), actor=None)
    assert has(provider, customer) == 5
    assert payment.credit_grant.name == "Paid more than was due"
    assert still_due(bill) == 0


def test_the_same_reference_is_noted_once(bill):
    record_payment(invoice=bill, amount=Decimal(10), reference="SEPA 1", actor=None)
    with pytest.raises(Refused) as refused:
        record_payment(invoice=bill, amount=Decimal(10), reference="SEPA 1 ", actor=None)
    assert (refused.value.field, refused.value.code) == ("reference", "taken")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"amount": Decimal(0)}, "amount"),
        ({"amount": Decimal("1.234")}, "amount"),
        ({"received_on": now().date() + timedelta(days=2)}, "received_on"),
        ({"reference": "x" * 121}, "reference"),
    ],
)
def test_nonsense_is_refused(bill, fields, field):
    with pytest.raises(Refused) as refused:
        record_payment(invoice=bill, actor=None, **fields)
    assert refused.value.field == field
    assert not Payment.objects.exists()


def test_a_paid_or_void_invoice_takes_no_money(provider, customer, bill):
    mark_paid(invoice=bill, actor=None)
    with pytest.raises(Refused, match="is paid"):
        record_payment(invoice=bill, actor=None)


def test_an_invoice_that_was_paid_in_part_is_not_voided(bill):
    record_payment(invoice=bill, amount=Decimal(10), actor=None)
    with pytest.raises(Refused, match="Money came in"):
        void(invoice=bill, actor=None)


def test_without_an_online_processor_customers_are_told_the_way_out(provider, customer, bill):
    with pytest.raises(Refused, match="bank transfer") as refused:
        pay_invoice(invoice=bill, return_url="", actor=None)
    assert refused.value.code == "not_supported"
    assert not Payment.objects.exists()


def test_the_demo_processor_pays_at_once(provider, customer, bill, settings):
    settings.PAYMENT_PROCESSOR = "null"
    payment = pay_invoice(invoice=bill, return_url="", actor=None)
    assert payment.state == PaymentState.SUCCEEDED
    bill.refresh_from_db()
    assert bill.state == InvoiceState.PAID
    with pytest.raises(Refused, match="is paid"):
        pay_invoice(invoice=bill, return_url="", actor=None)


def test_bought_credits_are_there_and_can_be_paid_back_as_far_as_they_last(provider, customer, settings):
    settings.PAYMENT_PROCESSOR = "null"
    payment = buy_credits(
        provider=provider, customer=customer, amount=Decimal(50), currency="usd", return_url="", actor=None
    )
    assert has(provider, customer) == 50
    refund(payment=payment, amount=Decimal(20), reason="too many", actor=None)
    assert has(provider, customer) == 30
    with pytest.raises(Refused, match="At most 30 USD"):
        refund(payment=payment, amount=Decimal(31), actor=None)
    refund(payment=payment, actor=None)
    payment.refresh_from_db()
    assert (has(provider, customer), payment.refunded_amount) == (0, 50)
    with pytest.raises(Refused, match="Nothing is left"):
        refund(payment=payment, actor=None)


def test_a_refund_leaves_the_invoice_paid(bill):
    payment = record_payment(invoice=bill, actor=None)
    done = refund(payment=payment, amount=Decimal("5.00"), reason="goodwill", actor=None)
    bill.refresh_from_db()
    assert (done.state, bill.state, still_due(bill)) == ("succeeded", InvoiceState.PAID, 0)


def test_what_was_paid_too_much_goes_back_first(provider, customer, bill):
    payment = record_payment(invoice=bill, amount=Decimal(30), actor=None)
    refund(payment=payment, amount=Decimal(6), actor=None)
    assert has(provider, customer) == 0


def test_a_failed_payment_is_not_paid_back(bill):
    payment = record_payment(invoice=bill, amount=Decimal(10), actor=None)
    Payment.objects.filter(pk=payment.pk).update(state=PaymentState.FAILED)
    with pytest.raises(Refused, match="Only a payment that succeeded"):
        refund(payment=payment, actor=None)
