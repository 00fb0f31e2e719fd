"""Closing an organization: what stands in the way, what stays, what goes."""

from decimal import Decimal

import pytest

from access.models import KeyState, Subscription
from accounts.errors import Refused
from accounts.models import ApiToken, AuditEvent, Organization
from accounts.organizations import resume
from accounts.teams.invitations import invite_member
from accounts.tokens import find_token
from accounts.webhooks.endpoints import create_endpoint
from apis.models import Api
from billing.leaving.close import close_organization
from billing.leaving.obstacles import obstacles
from billing.ledger.grants import grant
from billing.models import BillingProfile, Budget, Invoice, PaymentMethod
from tests.factories import (
    make_api,
    make_application,
    make_domain,
    make_key,
    make_member,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
    make_token,
    make_user,
    make_version,
)
from tests.rest.factories import make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Organization:
    return make_organization(make_user("alice"), name="Shop", billing_email="alice@example.com")


def codes(organization: Organization) -> set[str]:
    return {each.code for each in obstacles(organization)}


def test_all_that_stands_in_the_way_is_said_with_the_way_out(shop: Organization) -> None:
    kiosk = make_organization(name="Kiosk")
    sold = make_plan(make_stage(make_version(make_api(shop))))
    bought = make_plan(make_stage(make_version(make_api(kiosk))))
    make_subscription(make_application(kiosk), sold)
    make_subscription(make_application(shop), bought)
    make_invoice(kiosk, shop)
    make_invoice(shop, kiosk)
    make_invoice(shop, kiosk, number=9, state="paid", amount_due=0)
    for provider, customer in ((kiosk, shop), (shop, kiosk)):
        grant(provider=provider, customer=customer, amount=Decimal(5), currency="USD", actor=None)
    Organization.objects.filter(pk=kiosk.pk).update(billing_parent=shop)
    assert codes(shop) == {
        "running_subscriptions", "open_invoices", "credit",
        "customers", "unpaid_invoices", "customers_credit", "pays_for_others",
    }  # fmt: skip
    with pytest.raises(Refused, match=r"1 customer is on plans of its APIs\. Tell them") as refused:
        close_organization(organization=shop, name="Shop", actor=None)
    assert refused.value.code == "in_the_way"
    assert "5.00 USD of credit with Kiosk" in refused.value.message
    shop.refresh_from_db()
    assert (shop.name, shop.closed_at) == ("Shop", None)


def test_what_is_settled_stands_in_no_way(shop: Organization) -> None:
    kiosk = make_organization(name="Kiosk")
    plan = make_plan(make_stage(make_version(make_api(shop))))
    make_subscription(make_application(kiosk), plan, state="cancelled")
    make_invoice(shop, kiosk, state="void")
    make_invoice(kiosk, shop, state="paid", amount_due=0)
    assert obstacles(shop) == []


def test_a_slip_closes_nothing(shop: Organization) -> None:
    with pytest.raises(Refused, match="Type Shop") as refused:
        close_organization(organization=shop, name="shop", actor=None)
    assert refused.value.field == "name"


def test_records_stay_and_all_else_goes(shop: Organization) -> None:
    alice = shop.members.get().user
    make_member(shop, make_user("bob"))
    api = make_api(shop, visibility="public")
    application = make_application(shop)
    subscription = make_subscription(application, make_plan(make_stage(make_version(api))), state="cancelled")
    key, _ = make_key(application)
    _, token = make_token(shop, alice)
    invite_member(organization=shop, email="dora@example.com", role="member", actor=alice)
    create_endpoint(organization=shop, url="http://127.0.0.1:9/", actor=None)
    make_domain(shop)
    Budget.objects.create(organization=shop, name="All", currency="USD", amount=100)
    BillingProfile.objects.create(organization=shop, legal_name="Alice Shop Ltd", address="1 High Street")
    card = PaymentMethod.objects.create(
        organization=make_organization(), customer=shop, processor="stripe",
        external_customer="cus_1", external_method="pm_1", label="Card",
    )  # fmt: skip
    invoice = make_invoice(make_organization(), shop, state="paid", amount_due=0)
    close_organization(organization=shop, name=" Shop ", actor=alice)
    shop.refresh_from_db()
    assert (shop.name, shop.billing_email) == (f"Closed organization {shop.pk}", "")
    assert shop.closed_at is not None
    assert shop.suspended_at is not None
    key.refresh_from_db()
    card.refresh_from_db()
    assert (key.state, card.external_method) == (KeyState.REVOKED, "")
    assert find_token(token) is None
    assert not ApiToken.objects.filter(organization=shop, revoked_at=None).exists()
    gone = (shop.members, shop.webhook_endpoints, shop.budgets, shop.domains)
    assert [each.count() for each in gone] == [0, 0, 0, 0]
    assert not BillingProfile.objects.filter(organization=shop).exists()
    assert shop.member_invitations.get().withdrawn_at is not None
    assert Api.objects.get(pk=api.pk).visibility == "private"
    assert Subscription.objects.filter(pk=subscription.pk).exists()
    assert Invoice.objects.filter(pk=invoice.pk).exists()
    line = AuditEvent.objects.get(organization=shop, action="organization.closed")
    assert "Closed the organization Shop; its members were alice@example.com" in line.summary
    with pytest.raises(Refused, match="closed for good"):
        resume(organization=shop, actor=None)
    with pytest.raises(Refused, match="closed already"):
        close_organization(organization=shop, name=shop.name, actor=None)
