"""Paying in the console, and the address where processors leave their messages."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from billing.ledger.balances import balance
from billing.models import DunningHold, Invoice, Payment, PaymentMethod, PaymentState
from tests.billing.payments.stripe_stand_in import event, session_paid, signature
from tests.portal.factories import Shop, make_shop, signed_in

pytestmark = pytest.mark.django_db
SECRET = "whsec_of_the_stand_in"


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def invoice(shop):
    return Invoice.objects.get()


def press(shop, name, data=None, follow=False):
    address = reverse(name, args=shop.places.get(name, []))
    return signed_in(shop.alice).post(address, data or {}, follow=follow)


def said(response):
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_without_a_processor_the_page_says_how_to_pay(shop, invoice):
    page = signed_in(shop.alice).get(reverse("invoice", args=[invoice.pk])).content.decode()
    invoice.refresh_from_db()
    assert f"${invoice.amount_due:.2f} due" in page
    assert "bank transfer" in page
    assert "Pay now" not in page
    assert "bank transfer" in said(press(shop, "invoice-pay"))
    assert b"Buy credits" not in signed_in(shop.alice).get(reverse("payments")).content


def test_pay_now_pays(shop, invoice, settings):
    settings.PAYMENT_PROCESSOR = "null"
    assert b"Pay now" in signed_in(shop.alice).get(reverse("invoice", args=[invoice.pk])).content
    page = press(shop, "invoice-pay", follow=True).content.decode()
    assert "Paid. Thank you." in page
    assert "Pay now" not in page
    invoice.refresh_from_db()
    assert invoice.state == "paid"
    assert "is paid" in said(press(shop, "invoice-pay"))


def test_credits_are_bought_and_their_movements_shown(shop, settings):
    settings.PAYMENT_PROCESSOR = "null"
    bought = {"provider": shop.organization.pk, "amount": "40"}
    page = press(shop, "payments", bought, follow=True).content.decode()
    assert "Credits bought" in page
    assert "$40.00" in page
    has = balance(provider=shop.organization, customer=shop.organization, currency="USD")
    assert has == 40


@pytest.mark.parametrize("amount", ["0", "-4", "1.005", "x", ""])
def test_a_wrong_amount_is_said_at_its_field(shop, settings, amount):
    settings.PAYMENT_PROCESSOR = "null"
    before = Payment.objects.count()
    response = press(shop, "payments", {"provider": shop.organization.pk, "amount": amount})
    assert response.status_code == 200
    assert b'id="id_amount_error"' in response.content
    assert Payment.objects.count() == before


def test_a_pending_payment_leads_to_the_processor_by_a_link(shop):
    page = signed_in(shop.alice).get(reverse("payment", args=shop.places["payment"])).content.decode()
    assert 'href="https://pay.example.com/1"' in page
    assert "Continue to Stripe" in page


def test_a_card_is_removed(shop):
    press(shop, "payment-method-remove")
    assert PaymentMethod.objects.get().external_method == ""


def test_what_waits_for_money_is_told(shop, invoice):
    DunningHold.objects.create(
        organization=shop.organization,
        customer=shop.organization,
        subscription=shop.subscription,
        invoice=invoice,
    )
    page = signed_in(shop.alice).get(reverse("payments")).content.decode()
    assert "Suspended for late payment" in page
    assert "Till on" in page


def hook(body: bytes, signed: str = "", processor: str = "stripe"):
    headers = {"Stripe-Signature": signed} if signed else {}
    address = reverse("payment-hook", args=[processor])
    # as a processor calls: no session, no CSRF token
    return Client(enforce_csrf_checks=True).post(
        address, body, content_type="application/json", headers=headers
    )


def test_messages_come_in_by_the_hook_once(shop, settings):
    settings.STRIPE_WEBHOOK_SECRETS, settings.STRIPE_SECRET_KEY = [SECRET], "sk_test_x"
    payment = Payment.objects.get()
    body = event("checkout.session.completed", session_paid(payment), "evt_hook")
    for new in (True, False):
        response = hook(body, signature(body))
        assert (response.status_code, response.json()) == (200, {"received": True, "new": new})
    payment.refresh_from_db()
    assert payment.state == PaymentState.SUCCEEDED


def test_what_is_not_signed_is_refused(shop, settings):
    settings.STRIPE_WEBHOOK_SECRETS, settings.STRIPE_SECRET_KEY = [SECRET], "sk_test_x"
    body = event("checkout.session.completed", session_paid(Payment.objects.get()))
    for signed in ("", signature(body, "whsec_other"), "nonsense"):
        assert hook(body, signed).status_code == 400
    assert hook(body, signature(body), "manual").status_code == 400
    assert hook(body, signature(body), "paypal").status_code == 404
    assert Client().get(reverse("payment-hook", args=["stripe"])).status_code == 405
    assert Payment.objects.get().state == PaymentState.PENDING
