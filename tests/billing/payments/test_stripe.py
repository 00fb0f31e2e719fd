"""Stripe, by its own library against a stand-in: pages, saved cards, messages in any order, refunds."""

import time
from decimal import Decimal

import pytest

from accounts.errors import Refused
from billing.invoices import void
from billing.ledger.balances import balance
from billing.models import InvoiceState, Payment, PaymentEvent, PaymentMethod, PaymentState, Refund
from billing.payments.base import BadSignature
from billing.payments.events import receive
from billing.payments.methods import methods_of, remove_method, set_up_method
from billing.payments.pay import buy_credits, collect, collectable, pay_invoice, record_payment
from billing.payments.refunds import refund
from billing.payments.stripe_amounts import from_minor, to_minor
from tests.billing.ledger.factories import make_bill
from tests.billing.payments.stripe_stand_in import event, refunded, session_paid, signature

pytestmark = pytest.mark.django_db
BACK = "https://portal.example.com/console/invoices/x/"


def told(kind, about, event_id="", **options):
    body = event(kind, about, event_id)
    return receive(kind="stripe", body=body, headers={"Stripe-Signature": signature(body, **options)})


def pay(bill):
    return pay_invoice(invoice=bill, return_url=BACK, actor=None)


@pytest.fixture
def payment(stripe, bill):
    return pay(bill)


@pytest.fixture
def card(stripe, provider, customer):
    return PaymentMethod.objects.create(
        organization=provider,
        customer=customer,
        processor="stripe",
        external_customer="cus_1",
        external_method="pm_1",
        label="Card",
    )


def test_paying_begins_at_stripes_own_page(stripe, payment):
    ((path, form, key),) = stripe.requests
    assert (path, key) == ("/v1/checkout/sessions", payment.pk)
    assert form["line_items[0][price_data][unit_amount]"] == "2500"
    assert form["line_items[0][price_data][currency]"] == "usd"
    assert form["success_url"] == form["cancel_url"] == BACK
    assert form["customer_email"] == "bills@example.com"
    assert form["metadata[payment]"] == form["payment_intent_data[metadata][payment]"] == payment.pk
    assert (payment.state, payment.url.startswith(stripe.base)) == (PaymentState.PENDING, True)


def test_a_second_click_goes_on_with_the_same_payment(stripe, bill, payment):
    assert pay(bill).pk == payment.pk
    assert len(stripe.requests) == 1


def test_silence_is_asked_again_with_the_same_key(stripe, bill):
    stripe.silent = True
    with pytest.raises(Refused, match="nothing is charged twice") as refused:
        pay(bill)
    assert refused.value.code == "unreachable"
    stripe.silent = False
    payment = pay(bill)
    assert {key for _, _, key in stripe.requests} == {payment.pk}
    assert Payment.objects.count() == 1


def test_the_message_pays_the_invoice_once(bill, payment):
    about = session_paid(payment)
    assert told("checkout.session.completed", about, "evt_once")
    assert not told("checkout.session.completed", about, "evt_once")
    # and the same in other words
    intent = {"id": "pi_1", "amount_received": 2500, "currency": "usd", "metadata": {"payment": payment.pk}}
    assert told("payment_intent.succeeded", intent)
    bill.refresh_from_db()
    payment.refresh_from_db()
    assert (bill.state, bill.amount_due) == (InvoiceState.PAID, 0)
    assert (payment.state, payment.reference, payment.url) == (PaymentState.SUCCEEDED, "pi_1", "")
    assert bill.ledger_transactions.count() == 1
    events = PaymentEvent.objects.values_list("organization", "payment")
    assert set(events) == {(bill.organization_id, payment.pk)}


def test_a_page_that_is_done_but_not_paid_waits_for_the_bank(bill, payment):
    told("checkout.session.completed", session_paid(payment, payment_status="unpaid"))
    payment.refresh_from_db()
    assert payment.state == PaymentState.PENDING
    told("checkout.session.async_payment_succeeded", session_paid(payment))
    payment.refresh_from_db()
    assert payment.state == PaymentState.SUCCEEDED


def test_messages_in_the_wrong_order_end_the_same(provider, customer, bill, payment):
    told("charge.refunded", refunded(payment, 500))
    told("payment_intent.payment_failed", {"id": "pi_1", "metadata": {"payment": payment.pk}})
    told("checkout.session.expired", session_paid(payment, payment_status="unpaid"))
    told("checkout.session.completed", session_paid(payment))
    bill.refresh_from_db()
    payment.refresh_from_db()
    assert (bill.state, payment.state, payment.refunded_amount) == ("paid", "succeeded", 5)


def test_a_refused_card_leaves_the_page_open_and_says_why(payment):
    error = {"message": "Your card was declined."}
    told(
        "payment_intent.payment_failed",
        {"id": "pi_1", "metadata": {"payment": payment.pk}, "last_payment_error": error},
    )
    payment.refresh_from_db()
    assert (payment.state, payment.error) == (PaymentState.PENDING, "Your card was declined.")
    assert payment.url


def test_after_an_expired_page_a_new_one_begins_and_money_of_the_old_is_not_lost(
    provider, customer, bill, payment
):
    told("checkout.session.expired", session_paid(payment, payment_status="unpaid"))
    again = pay(bill)
    assert again.pk != payment.pk
    told("checkout.session.completed", session_paid(again, "pi_2"))
    told("checkout.session.completed", session_paid(payment, "pi_1"))
    bill.refresh_from_db()
    assert bill.state == InvoiceState.PAID
    assert balance(provider=provider, customer=customer, currency="USD") == 25


def test_what_a_transfer_paid_meanwhile_becomes_credits(provider, customer, bill, payment):
    record_payment(invoice=bill, amount=Decimal(20), actor=None)
    told("checkout.session.completed", session_paid(payment))
    bill.refresh_from_db()
    assert bill.state == InvoiceState.PAID
    assert balance(provider=provider, customer=customer, currency="USD") == 20


def test_another_sum_than_was_asked_is_left_to_people(bill, payment):
    told("checkout.session.completed", session_paid(payment, amount_total=2400))
    payment.refresh_from_db()
    assert (payment.state, "24" in payment.error) == (PaymentState.PENDING, True)


@pytest.mark.parametrize(
    "options",
    [{"secret": "whsec_another"}, {"at": time.time() - 3600}, {"secret": ""}],
    ids=["secret", "old", "empty"],
)
def test_a_message_that_is_not_stripes_changes_nothing(bill, payment, options):
    with pytest.raises(BadSignature):
        told("checkout.session.completed", session_paid(payment), **options)
    assert not PaymentEvent.objects.exists()
    bill.refresh_from_db()
    assert bill.state == InvoiceState.FINALIZED


def test_a_changed_body_or_no_signature_is_not_stripes(payment):
    body = event("checkout.session.completed", session_paid(payment))
    for headers in ({"Stripe-Signature": signature(body)}, {}):
        with pytest.raises(BadSignature):
            receive(kind="stripe", body=body.replace(b"2500", b"2501"), headers=headers)


def test_messages_about_others_are_noted_and_change_nothing(payment):
    stranger = {"id": "cs_x", "mode": "payment", "payment_status": "paid", "metadata": None}
    assert told("checkout.session.completed", stranger | {"amount_total": 1, "currency": "usd"})
    assert told("invoice.created", {"id": "in_1"})
    assert PaymentEvent.objects.filter(organization=None, payment=None).count() == 2


def test_what_fails_is_taken_again_at_the_next_delivery(payment, monkeypatch):
    from billing.payments import events

    def broken(*_args):
        raise RuntimeError("the power went")

    with monkeypatch.context() as patched:
        patched.setattr(events, "handle_event", broken)
        with pytest.raises(RuntimeError):
            told("checkout.session.completed", session_paid(payment), "evt_1")
    assert told("checkout.session.completed", session_paid(payment), "evt_1")
    payment.refresh_from_db()
    assert payment.state == PaymentState.SUCCEEDED


def test_a_customer_leaves_a_card_and_takes_it_back(stripe, provider, customer):
    for _ in range(2):
        url = set_up_method(provider=provider, customer=customer, return_url=BACK, actor=None)
        assert url.startswith(stripe.base)
    assert [path for path, _, _ in stripe.requests].count("/v1/customers") == 1
    assert not methods_of(customer).exists()
    external = PaymentMethod.objects.get().external_customer
    told("setup_intent.succeeded", {"id": "seti_1", "customer": external, "payment_method": "pm_9"})
    (method,) = methods_of(customer)
    assert method.external_method == "pm_9"
    remove_method(method=method, actor=None)
    assert not methods_of(customer).exists()


def test_a_saved_card_is_charged_by_itself_once(stripe, bill, card):
    assert collectable() == [bill.pk]
    payment = collect(invoice=bill)
    ((path, form, key),) = stripe.requests
    assert (path, key, form["off_session"]) == ("/v1/payment_intents", payment.pk, "true")
    assert (form["customer"], form["payment_method"], form["amount"]) == ("cus_1", "pm_1", "2500")
    bill.refresh_from_db()
    assert (payment.state, bill.state) == (PaymentState.SUCCEEDED, InvoiceState.PAID)
    assert collectable() == []


def test_a_declined_card_is_not_tried_again_by_itself(stripe, bill, card):
    stripe.declines = True
    payment = collect(invoice=bill)
    assert (payment.state, payment.error) == (PaymentState.FAILED, "Your card was declined.")
    assert collectable() == []
    bill.refresh_from_db()
    assert bill.state == InvoiceState.FINALIZED


def test_refunds_are_asked_for_once_and_the_message_about_them_adds_nothing(stripe, bill, payment):
    told("checkout.session.completed", session_paid(payment))
    payment.refresh_from_db()
    stripe.silent = True
    with pytest.raises(Refused) as refused:
        refund(payment=payment, amount=Decimal(5), actor=None)
    assert refused.value.code == "unreachable"
    stripe.silent = False
    done = refund(payment=payment, amount=Decimal(5), actor=None)
    path, form, key = stripe.requests[-1]
    assert (path, key, form["amount"], form["payment_intent"]) == ("/v1/refunds", done.pk, "500", "pi_1")
    told("charge.refunded", refunded(payment, 500))
    told("charge.refunded", refunded(payment, 700))  # two more, at Stripe's own pages
    told("charge.refunded", refunded(payment, 500))  # and the older one once more
    payment.refresh_from_db()
    assert payment.refunded_amount == 7
    assert list(Refund.objects.order_by("created_at").values_list("amount", "state")) == [
        (5, "succeeded"),
        (2, "succeeded"),
    ]


def test_the_message_about_a_refund_may_come_before_its_answer(stripe, bill, payment):
    told("checkout.session.completed", session_paid(payment))
    payment.refresh_from_db()
    stripe.silent = True
    with pytest.raises(Refused):
        refund(payment=payment, amount=Decimal(5), actor=None)
    told("charge.refunded", refunded(payment, 500))
    payment.refresh_from_db()
    assert payment.refunded_amount == 5
    assert Refund.objects.get().state == PaymentState.SUCCEEDED


@pytest.mark.parametrize(("status", "paid_back"), [("succeeded", 5), ("failed", 0)])
def test_a_refund_that_takes_days_is_told_later(stripe, bill, payment, status, paid_back):
    told("checkout.session.completed", session_paid(payment))
    payment.refresh_from_db()
    stripe.refunds = "pending"
    running = refund(payment=payment, amount=Decimal(5), actor=None)
    assert running.state == PaymentState.PENDING
    with pytest.raises(Refused, match="is running"):
        refund(payment=payment, amount=Decimal(6), actor=None)
    for kind in ("refund.updated", f"refund.{status}"):
        told(kind, {"id": running.reference, "status": status, "metadata": {"refund": running.pk}})
    running.refresh_from_db()
    payment.refresh_from_db()
    assert (running.state, payment.refunded_amount) == (status, paid_back)


def test_credits_are_there_once_the_money_is(stripe, provider, customer):
    payment = buy_credits(
        provider=provider, customer=customer, amount=Decimal(50), currency="USD", return_url=BACK, actor=None
    )
    assert balance(provider=provider, customer=customer, currency="USD") == 0
    for _ in range(2):
        told("checkout.session.completed", session_paid(payment))
    assert balance(provider=provider, customer=customer, currency="USD") == 50


def test_an_amount_that_stripe_cannot_take_is_said(stripe, provider, customer):
    bill = make_bill(provider, customer, "1.005", currency="BHD")
    payment = pay(bill)
    assert (payment.state, "finer" in payment.error) == (PaymentState.FAILED, True)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("19.99", "USD", 1999),
        ("500", "JPY", 500),
        ("1.230", "KWD", 1230),
        ("100", "ISK", 10_000),
        ("7", "UGX", 700),
        ("7", "MGA", 7),
    ],
)
def test_amounts_as_stripe_writes_them(amount, currency, minor):
    assert to_minor(Decimal(amount), currency) == minor
    assert from_minor(minor, currency) == Decimal(amount)


def test_money_for_an_invoice_that_was_voided_meanwhile_becomes_credits(provider, customer, bill, payment):
    void(invoice=bill, actor=None)
    told("checkout.session.completed", session_paid(payment))
    bill.refresh_from_db()
    payment.refresh_from_db()
    assert (bill.state, payment.state) == (InvoiceState.VOID, PaymentState.SUCCEEDED)
    assert payment.credit_grant.amount == balance(provider=provider, customer=customer, currency="USD") == 25
