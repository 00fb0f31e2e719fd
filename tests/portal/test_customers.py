"""A provider's customers: found, looked at, shut out, and given terms of their own."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse
from django.utils.timezone import now

from access.customers import suspend_customer
from access.models import Subscription
from accounts.models import Organization
from billing.ledger.balances import balance
from billing.models import CustomerTerms, DunningHold, PriceOverride
from tests.factories import (
    make_application,
    make_key,
    make_organization,
    make_plan,
    make_subscription,
    make_user,
)
from tests.portal.factories import Shop, make_shop, people_of, signed_in
from tests.rest.factories import make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def kiosk(shop: Shop) -> Subscription:
    """Dora's company, on Alice's plan with a key, and on somebody else's plan."""
    application = make_application(make_organization(make_user("dora"), name="Dora Ltd"), name="Stand")
    make_key(application, name="Server", prefix="gh_live_dora")
    make_subscription(make_application(application.organization, name="Private"), make_plan(name="Foreign"))
    return make_subscription(application, shop.plan)


def look(shop: Shop, name: str, *places: str, **asked: str) -> str:
    answer = signed_in(shop.alice).get(reverse(name, args=places), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def press(shop: Shop, name: str, data: dict[str, Any], *places: str) -> HttpResponse:
    return signed_in(shop.alice).post(reverse(name, args=places), data, follow=True)


def listed(shop: Shop, **asked: str) -> bool:
    return "Dora Ltd" in look(shop, "customers", **asked)


def test_customers_are_found_by_words(shop: Shop, kiosk: Subscription) -> None:
    for words in ("dora ltd", kiosk.organization_id, "stand", "dora@example", "gh_live_dora"):
        assert listed(shop, q=words), words
    assert not listed(shop, q="Private"), "an application that is no customer of hers"
    assert "Nobody fits" in look(shop, "customers", q="zebra")


def test_customers_are_narrowed_by_plan_state_and_standing(shop: Shop, kiosk: Subscription) -> None:
    other = make_plan(organization=shop.organization)
    assert listed(shop, plan=shop.plan.pk, state="active", standing="good")
    assert not listed(shop, plan=other.pk)
    assert not listed(shop, state="pending")
    make_invoice(shop.organization, kiosk.organization, due_at=now() - timedelta(days=1))
    assert listed(shop, standing="late")
    assert not listed(shop, standing="good")
    suspend_customer(provider=shop.organization, customer=kiosk.organization, reason="x", actor=None)
    assert listed(shop, standing="suspended")
    assert not listed(shop, standing="late")
    Organization.objects.filter(pk=kiosk.organization_id).update(suspended_at=now())
    assert listed(shop, standing="shut")


def test_a_customer_shows_what_touches_this_provider_and_no_secret(shop: Shop, kiosk: Subscription) -> None:
    key, text = make_key(kiosk.application)
    foreign, _ = make_key(Subscription.objects.get(plan__name="Foreign").application)
    page = look(shop, "customer", kiosk.organization_id)
    for words in ("Dora Ltd", "Stand", shop.plan.name, "Server", "dora@example.com", key.prefix, "30 days"):
        assert words in page
    assert text not in page
    assert key.hash not in page
    for words in ("Foreign", "Private", foreign.name):
        assert words not in page


def test_a_strangers_page_is_not_there(shop: Shop) -> None:
    stranger = make_subscription(plan=make_plan()).organization
    assert signed_in(shop.alice).get(reverse("customer", args=[stranger.pk])).status_code == 404


def test_a_member_sees_no_bills(shop: Shop, kiosk: Subscription) -> None:
    page = signed_in(people_of(shop)["member"]).get(reverse("customer", args=[kiosk.organization_id]))
    assert "Keys" in page.content.decode()
    assert "Bills and terms" not in page.content.decode()


def test_a_customer_is_suspended_with_a_reason_and_resumed(shop: Shop, kiosk: Subscription) -> None:
    place = kiosk.organization_id
    assert "This field is required" in press(shop, "customer-suspend", {"reason": ""}, place).content.decode()
    told = press(shop, "customer-suspend", {"reason": "Card is stolen"}, place).content.decode()
    assert "Dora Ltd is suspended." in told
    assert "Card is stolen" in told
    kiosk.refresh_from_db()
    assert kiosk.state == "suspended"
    hers = signed_in(kiosk.organization.members.get(role="owner").user)
    page = reverse("application", args=[kiosk.application_id])
    assert "serves you nothing for now: Card is stolen." in hers.get(page).content.decode()
    press(shop, "customer-resume", {}, place)
    assert "serves you nothing" not in hers.get(page).content.decode()
    kiosk.refresh_from_db()
    assert kiosk.state == "active"


def test_who_waits_for_money_stays_suspended(shop: Shop, kiosk: Subscription) -> None:
    invoice = make_invoice(shop.organization, kiosk.organization)
    DunningHold.objects.create(
        organization=shop.organization,
        customer=kiosk.organization,
        subscription=kiosk,
        invoice=invoice,
    )
    Subscription.objects.filter(pk=kiosk.pk).update(state="suspended")
    suspend_customer(provider=shop.organization, customer=kiosk.organization, reason="x", actor=None)
    assert "1 of them wait" in look(shop, "customer-resume", kiosk.organization_id)
    press(shop, "customer-resume", {}, kiosk.organization_id)
    kiosk.refresh_from_db()
    assert kiosk.state == "suspended"
    assert "until a late invoice is paid" in look(shop, "customer", kiosk.organization_id)


def test_terms_credits_and_a_discount_are_given(shop: Shop, kiosk: Subscription) -> None:
    place = kiosk.organization_id
    terms = {"due_days": "30", "tax_treatment": "standard", "tax_note": "odd"}
    refused = press(shop, "customer-terms", terms, place).content.decode()
    assert "A note says why no tax is charged" in refused
    assert 'value="30"' in refused
    press(shop, "customer-terms", terms | {"tax_note": "", "credit_only": "on"}, place)
    assert CustomerTerms.objects.get(customer=place).due_days == 30
    press(shop, "customer-credit", {"amount": "12.50", "currency": "USD", "name": "Sorry"}, place)
    given = balance(provider=shop.organization, customer=kiosk.organization, currency="USD")
    assert given == Decimal("12.50")
    card = shop.organization.rate_cards.get()
    press(shop, "customer-discount", {"rate_card": card.pk, "percent": "10", "reason": "Loyal"}, place)
    page = look(shop, "customer-bills", place)
    for words in ("Prepaid only", "$12.50", "10 % off", "Loyal"):
        assert words in page
    override = PriceOverride.objects.get(customer=place)
    press(shop, "customer-discount-end", {}, place, override.pk)
    override.refresh_from_db()
    assert override.ends_at is not None


def test_the_discount_of_one_customer_is_not_found_at_another(shop: Shop, kiosk: Subscription) -> None:
    own = PriceOverride.objects.get(customer=shop.organization)
    answer = press(shop, "customer-discount-end", {}, kiosk.organization_id, own.pk)
    assert answer.status_code == 404
