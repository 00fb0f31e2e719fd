"""Changing and ending plans, and the billing group, on the console's pages."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse
from django.utils.timezone import now

from access.models import Subscription, UsagePlan
from accounts.billing_group import ask_to_join
from accounts.models import Organization
from billing.periods import month_of
from billing.rate_cards import create_rate_card, price_plan
from tests.factories import make_organization, make_plan, owner_of
from tests.portal.factories import Shop, make_shop, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def gold(shop: Shop) -> UsagePlan:
    """Another plan for the same stage, 310 USD a month."""
    plan = make_plan(*shop.plan.stages.all(), name="Gold", quota_limit=5_000)
    card = create_rate_card(organization=shop.organization, name="Gold", base_fee=Decimal(310), actor=None)
    price_plan(plan=plan, rate_card=card, actor=None)
    return plan


def look(shop: Shop, name: str, *places: str) -> str:
    response = signed_in(shop.alice).get(reverse(name, args=places))
    assert response.status_code == 200
    return response.content.decode()


def press(shop: Shop, name: str, data: dict[str, Any] | None = None, *places: str) -> HttpResponse:
    return signed_in(shop.alice).post(reverse(name, args=places), data or {}, follow=True)


def test_the_plans_to_choose_from_say_what_changes(shop: Shop, gold: UsagePlan) -> None:
    make_plan(name="Of somebody else")
    hidden = make_plan(*shop.plan.stages.all(), name="Secret", visibility="hidden")
    text = look(shop, "subscription-plan", shop.subscription.pk)
    for words in (
        "Gold",
        "5,000 calls a month",
        "$310.00",
        "The count goes on",
        f" of {month_of(now(), 'UTC').label}",
    ):
        assert words in text
    assert hidden.name not in text
    assert "Of somebody else" not in text


def test_a_plan_is_changed_at_once(shop: Shop, gold: UsagePlan) -> None:
    answer = press(shop, "subscription-plan", {"plan": gold.pk, "at": "now"}, shop.subscription.pk)
    assert "is on Gold now" in answer.content.decode()
    shop.subscription.refresh_from_db()
    assert shop.subscription.plan == gold


def test_a_planned_change_is_shown_and_undone(shop: Shop, gold: UsagePlan) -> None:
    press(shop, "subscription-plan", {"plan": gold.pk, "at": "period_end"}, shop.subscription.pk)
    assert "Changes to Gold" in look(shop, "application", shop.application.pk)
    assert "Take back the change to Gold" in look(shop, "subscription-undo", shop.subscription.pk)
    press(shop, "subscription-undo", {}, shop.subscription.pk)
    assert "Changes to Gold" not in look(shop, "application", shop.application.pk)


def test_a_change_that_waits_says_so(shop: Shop, gold: UsagePlan) -> None:
    gold.requires_approval = True
    gold.save()
    answer = press(shop, "subscription-plan", {"plan": gold.pk, "at": "now"}, shop.subscription.pk)
    assert "waits for the provider" in " ".join(answer.content.decode().split())


def test_nothing_chosen_is_an_error_on_the_page(shop: Shop, gold: UsagePlan) -> None:
    assert (
        "Choose one of the plans"
        in press(shop, "subscription-plan", {"at": "now"}, shop.subscription.pk).content.decode()
    )


def test_the_cost_of_an_end_is_said_before_it(shop: Shop, gold: UsagePlan) -> None:
    Subscription.objects.update(plan=gold, started_at=now() - timedelta(days=100))
    text = look(shop, "subscription-cancel", shop.subscription.pk)
    assert "When the month ends" in text
    assert "$310.00" in text
    press(shop, "subscription-cancel", {"at": "period_end"}, shop.subscription.pk)
    shop.subscription.refresh_from_db()
    assert shop.subscription.cancel_at is not None
    assert "Ends" in look(shop, "application", shop.application.pk)


def test_a_billing_group_is_asked_for_and_accepted(shop: Shop) -> None:
    child = make_organization(name="Branch")
    owner = signed_in(owner_of(child))
    page = reverse("billing-group")
    wrong = owner.post(page, {"parent_id": "0000000000"})
    assert "no organization with this id" in wrong.content.decode()
    own = owner.post(page, {"parent_id": child.pk})
    assert "pays its own bills anyway" in own.content.decode()
    asked = owner.post(page, {"parent_id": shop.organization.pk}, follow=True)
    assert "has not answered yet" in asked.content.decode()
    assert "Branch" in look(shop, "billing-group")
    press(shop, "billing-group-accept", {}, child.pk)
    child.refresh_from_db()
    assert child.billing_parent == shop.organization
    assert "Leave the group" in owner.get(page).content.decode()
    owner.post(reverse("billing-group-leave"))
    child.refresh_from_db()
    assert child.billing_parent is None


def test_a_child_is_declined_and_removed(shop: Shop) -> None:
    child = make_organization(name="Branch")
    for accepted in (False, True):
        ask_to_join(child=child, parent=shop.organization, actor=None)
        if accepted:
            press(shop, "billing-group-accept", {}, child.pk)
        question = look(shop, "billing-group-refuse", child.pk)
        assert ("no longer?" if accepted else "Decline Branch?") in question
        press(shop, "billing-group-refuse", {}, child.pk)
        child = Organization.objects.get(pk=child.pk)
        assert (child.billing_parent, child.asked_billing_parent) == (None, None)
