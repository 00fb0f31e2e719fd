"""Paying, credits and refunds by REST: the customer's side and the provider's."""

import pytest

from billing.models import Payment
from tests.factories import make_application, make_plan, make_subscription
from tests.rest.factories import make_invoice
from tests.rest.problems import fault, problem


@pytest.fixture
def sold(alice, charlie):
    """Alice sells to Charlie; he owes her 12.34."""
    make_subscription(make_application(charlie.organization), make_plan(organization=alice.organization))
    return make_invoice(alice.organization, charlie.organization)


@pytest.fixture
def demo(settings):
    settings.PAYMENT_PROCESSOR = "null"


def test_the_customer_pays_and_the_provider_sees_it(alice, charlie, sold, demo):
    made = charlie.post("payments", {"invoice": sold.pk})
    assert made.status_code == 201, made.content
    assert (made.json()["state"], made.json()["amount"]) == ("succeeded", "12.34")
    assert alice.get(f"payments/{made.json()['id']}").json()["customer_name"] == "Charlie's"
    paid = charlie.get(f"invoices/{sold.pk}").json()
    assert (paid["state"], paid["amount_due"]) == ("paid", "0")
    fault(charlie.post("payments", {"invoice": sold.pk}), "state", "wrong_state")


def test_the_provider_cannot_pay_in_the_customers_name(alice, sold, demo):
    fault(alice.post("payments", {"invoice": sold.pk}), "invoice", "does_not_exist")


def test_without_a_processor_it_says_the_way_out(charlie, sold):
    said = problem(charlie.post("payments", {"invoice": sold.pk}), 422)
    assert "bank transfer" in said["detail"]


def test_the_provider_notes_a_part(alice, charlie, sold):
    body = {"amount": "2.34", "reference": "SEPA 7", "received_on": "2026-01-20"}
    assert alice.done(f"invoices/{sold.pk}/pay", body)["amount_due"] == "10"
    fault(alice.post(f"invoices/{sold.pk}/pay", body), "reference", "taken")
    problem(charlie.post(f"invoices/{sold.pk}/pay", {}), 403)
    assert alice.done(f"invoices/{sold.pk}/pay", {})["state"] == "paid"
    assert Payment.objects.count() == 2


def test_credits_are_given_bought_and_counted(alice, charlie, sold, demo):
    given = {"customer": charlie.organization.pk, "amount": "50", "currency": "USD", "name": "Welcome"}
    made = alice.post("credits", given | {"reference": "welcome-1"})
    assert made.status_code == 201, made.content
    assert (made.json()["left"], made.json()["source"]) == ("50", "promotion")
    fault(alice.post("credits", given | {"reference": "welcome-1"}), "reference", "taken")
    bought = charlie.post("payments", {"provider": alice.organization.pk, "amount": "20"}).json()
    (balance,) = charlie.get("credits/balances").json()
    assert balance == {
        "organization": alice.organization.pk,
        "customer": charlie.organization.pk,
        "currency": "USD",
        "amount": "70",
    }
    assert alice.get("credits/balances").json() == [balance]
    assert [row["change"] for row in charlie.get("credit-movements").json()["results"]] == ["20", "50"]
    problem(charlie.post(f"payments/{bought['id']}/refund", {}), 403)
    assert alice.done(f"payments/{bought['id']}/refund", {"amount": "5"})["refunded_amount"] == "5"
    problem(charlie.post(f"credits/{made.json()['id']}/revoke", {}), 403)
    assert alice.done(f"credits/{made.json()['id']}/revoke", {})["left"] == "0"
    assert charlie.get("credits/balances").json()[0]["amount"] == "15"


def test_an_organization_that_never_bought_is_no_customer(alice, charlie):
    given = {"customer": charlie.organization.pk, "amount": "50", "currency": "USD", "name": "Welcome"}
    fault(alice.post("credits", given), "customer", "does_not_exist")
    fault(charlie.post("payments", {"provider": alice.organization.pk, "amount": "5"}), "provider")


@pytest.mark.parametrize(
    ("body", "field"),
    [({}, "provider"), ({"amount": "5"}, "provider")],
)
def test_a_payment_is_for_something(charlie, sold, body, field):
    fault(charlie.post("payments", body), field)


def test_an_invoice_is_paid_as_it_is(charlie, sold):
    fault(charlie.post("payments", {"invoice": sold.pk, "amount": "1"}), "amount")


def test_the_billing_role_pays_but_gives_nothing(charlie, sold, program, demo):
    from accounts.models import Role
    from tests.factories import make_member, make_user

    bob = make_user("bob")
    make_member(charlie.organization, bob, Role.BILLING)
    clerk = program(charlie.organization, bob)
    assert clerk.post("payments", {"invoice": sold.pk}).status_code == 201
    problem(clerk.post("credits", {}), 403)
    mary = make_user("mary")
    make_member(charlie.organization, mary)
    problem(program(charlie.organization, mary).get("payments"), 403)
