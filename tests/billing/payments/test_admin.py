"""Staff: noting payments, paying back, giving credits, terms, and the lists of late payment."""

from decimal import Decimal

import pytest
from django.urls import reverse

from billing.ledger.balances import balance
from billing.models import CreditGrant, CustomerTerms, DunningHold, Payment
from billing.payments.pay import record_payment
from tests.billing.ledger.factories import make_credits
from tests.factories import make_api, make_application, make_plan, make_staff, make_subscription, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(make_staff("sam"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def press(staff, name, data, pk=""):
    """Send a dialog's form, as the page does."""
    return staff.post(reverse(f"admin:{name}", args=[pk] if pk else []), data | {"_form_submitted": "True"})


def has(provider, customer):
    return balance(provider=provider, customer=customer, currency="USD")


def test_a_payment_is_noted_with_its_reference(staff, bill):
    data = {"amount": "10", "reference": "SEPA 1", "received_on": "2026-11-01"}
    press(staff, "billing_invoice_pay_this", data, bill.pk)
    bill.refresh_from_db()
    assert (bill.state, bill.amount_due) == ("finalized", 15)
    payment = Payment.objects.get()
    assert (payment.reference, str(payment.received_on), payment.created_by.email) == (
        "SEPA 1",
        "2026-11-01",
        "sam@example.com",
    )
    press(staff, "billing_invoice_pay_this", {"amount": "", "reference": "", "received_on": ""}, bill.pk)
    bill.refresh_from_db()
    assert bill.state == "paid"


def test_a_payment_is_paid_back(staff, bill):
    payment = record_payment(invoice=bill, actor=None)
    press(staff, "billing_payment_refund_this", {"amount": "5", "reason": "goodwill"}, payment.pk)
    payment.refresh_from_db()
    assert payment.refunded_amount == 5
    page = staff.get(reverse("admin:billing_payment_change", args=[payment.pk])).content.decode()
    assert "Pay back" in page
    press(staff, "billing_payment_refund_this", {"amount": "50", "reason": ""}, payment.pk)
    payment.refresh_from_db()
    assert payment.refunded_amount == 5


def test_credits_are_given_and_taken_back(staff, provider, customer):
    make_api(provider)
    data = {
        "provider": provider.pk,
        "customer": customer.pk,
        "amount": "30",
        "currency": "usd",
        "name": "Welcome",
        "priority": "5",
        "expires_at": "2099-01-01 00:00",
    }
    press(staff, "billing_creditgrant_give", data)
    made = CreditGrant.objects.get()
    assert (has(provider, customer), made.priority, made.expires_at.year) == (30, 5, 2099)
    assert "30.00 USD" in staff.get(reverse("admin:billing_creditgrant_changelist")).content.decode()
    press(staff, "billing_creditgrant_take_back", {}, made.pk)
    assert has(provider, customer) == 0


def test_terms_go_through_the_verb(staff, provider, customer):
    data = {
        "organization": provider.pk,
        "customer": customer.pk,
        "due_days": "",
        "credit_only": "on",
        "tax_treatment": "standard",
        "tax_note": "",
    }
    response = staff.post(reverse("admin:billing_customerterms_add"), data)
    assert response.status_code == 302, response.content.decode()[:3000]
    terms = CustomerTerms.objects.get()
    assert (terms.credit_only, terms.dunning_exempt) == (True, False)
    change = reverse("admin:billing_customerterms_change", args=[terms.pk])
    staff.post(change, {"dunning_exempt": "on", "tax_treatment": "standard"})
    terms.refresh_from_db()
    assert (terms.credit_only, terms.dunning_exempt) == (False, True)


def test_every_list_and_page_opens(staff, bill, provider, customer, django_assert_max_num_queries):
    record_payment(invoice=bill, amount=Decimal(10), actor=None)
    make_credits(provider, customer, "5")
    subscription = make_subscription(make_application(customer), make_plan(organization=provider))
    DunningHold.objects.create(
        organization=provider, customer=customer, subscription=subscription, invoice=bill
    )
    staff.get(reverse("admin:index"))  # the first page writes down the browser's session, too
    for name in (
        "payment",
        "creditgrant",
        "ledgertransaction",
        "customerterms",
        "dunninghold",
        "dunningnotice",
    ):
        with django_assert_max_num_queries(20):
            assert staff.get(reverse(f"admin:billing_{name}_changelist")).status_code == 200, name
    assert staff.get(reverse("admin:billing_invoice_changelist"), {"payment": "late"}).status_code == 200


def test_who_may_only_look_changes_nothing(client, bill):
    from django.contrib.auth.models import Permission

    viewer = make_user("vera", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(viewer, backend="django.contrib.auth.backends.ModelBackend")
    press(client, "billing_invoice_pay_this", {"amount": "10", "reference": "", "received_on": ""}, bill.pk)
    press(client, "billing_creditgrant_give", {"amount": "10"})
    assert not Payment.objects.exists()
    assert not CreditGrant.objects.exists()
