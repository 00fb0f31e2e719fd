"""Budgets and webhooks, as people make them on pages."""

import pytest
from django.urls import reverse

from access.models import CallAllowance
from accounts.models import WebhookDelivery, WebhookEndpoint
from accounts.webhooks.deliver import deliver
from billing.models import Budget
from billing.spend_stop import GROUP_CAP_REACHED
from nodes.quota_alerts import rule_of
from tests.billing.factories import OCTOBER, pay_for, subscribed
from tests.factories import make_organization, make_user
from tests.portal.factories import make_shop, signed_in
from tests.receiver import receiving

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture
def browser(shop):
    return signed_in(shop.alice)


def test_a_spend_cap_of_one_application_is_made_changed_and_deleted(shop, browser):
    given = {
        "name": "Till", "scope": f"application:{shop.application.pk}", "amount": "1,500.50", "currency": "USD",
        "percents": "90 % 100", "stops": "on",
    }  # fmt: skip
    assert browser.post(reverse("budget-new"), given).status_code == 302
    budget = Budget.objects.get(name="Till")
    assert (budget.application, budget.subscription, str(budget.amount)) == (
        shop.application,
        None,
        "1500.500000000000",
    )
    assert (budget.percents, budget.stops, budget.mails) == ([90, 100], True, False)
    page = browser.get(reverse("budgets")).content.decode()
    assert "Spend cap" in page
    assert "Stops at the last call that fits." in page
    place = reverse("budget", args=[budget.pk])
    assert 'value="1500.5"' in browser.get(place).content.decode()
    browser.post(place, given | {"amount": "20", "stops": ""})
    budget.refresh_from_db()
    assert (budget.amount, budget.stops, budget.application) == (20, False, shop.application)
    browser.post(reverse("budget-delete", args=[budget.pk]))
    assert not Budget.objects.filter(name="Till").exists()


def test_a_payer_chooses_its_whole_group_or_its_own(shop, browser):
    member = make_organization(make_user("bob"), name="Bob's branch")
    his = subscribed(shop.plan, member)
    pay_for(member, shop.organization, OCTOBER.start)
    form = browser.get(reverse("budget-new")).content.decode()
    assert "The whole billing group: our own and 1 other organization" in form
    assert '<option value="group" selected' in form
    given = {"name": "Group", "amount": "9", "currency": "USD", "percents": "", "stops": "on"}
    assert browser.post(reverse("budget-new"), given | {"scope": "group"}).status_code == 302
    assert browser.post(reverse("budget-new"), given | {"name": "Own", "scope": ""}).status_code == 302
    assert dict(Budget.objects.exclude(name="All").values_list("name", "whole_group")) == {
        "Group": True,
        "Own": False,
    }
    CallAllowance.objects.create(
        organization=member, subscription=his, window_starts_at=OCTOBER.start, reason=GROUP_CAP_REACHED,
        stopped_until=OCTOBER.start.replace(year=2999),
    )  # fmt: skip
    page = browser.get(reverse("budgets")).content.decode()
    assert "Stops within 16 seconds after it is reached." in page
    assert f"Bob&#x27;s branch: {his.application.name}" in page
    assert "Raise the spend cap to let them in again." in page
    to_bob = signed_in(member.members.get().user).get(reverse("budgets")).content.decode()
    assert f"{shop.organization} pays for you, and its spend cap is reached" in to_bob
    assert "whole billing group" not in to_bob


def test_what_is_wrong_is_said_at_the_field(shop, browser):
    good = {"name": "X", "scope": "", "amount": "1", "currency": "USD", "percents": "50"}
    for change, words in (
        ({"amount": "0"}, "must be more than 0"),
        ({"amount": "lots"}, "must be a number"),
        ({"percents": "half"}, "Write whole percents"),
        ({"percents": "0"}, "Give whole percents"),
        ({"name": "All"}, "There is a budget named All already."),
        ({"scope": "application:abcdefghij"}, "Select a valid choice"),
    ):
        page = browser.post(reverse("budget-new"), good | change).content.decode()
        assert words in page, change
    assert Budget.objects.count() == 1


def test_the_page_says_what_is_stopped(shop, browser):
    CallAllowance.objects.create(
        organization=shop.organization, subscription=shop.subscription, window_starts_at=OCTOBER.start,
        stopped_until=OCTOBER.start.replace(year=2999),
    )  # fmt: skip
    assert "Calls are refused" in browser.get(reverse("budgets")).content.decode()


def test_quota_alerts_are_chosen(shop, browser):
    browser.post(reverse("budgets"), {"percents": "75, 95", "mails": "on"})
    rule = rule_of(shop.organization)
    assert (rule.percents, rule.mails) == ([75, 95], True)
    assert "from 1 to 100" in browser.post(reverse("budgets"), {"percents": "101"}).content.decode()


def test_a_webhook_from_the_form_to_a_verified_event(shop, browser):
    with receiving() as receiver:
        shown = browser.post(
            reverse("webhooks"), {"url": receiver.url, "event_types": ["spend_cap.reached"]}, follow=True
        )
        endpoint = WebhookEndpoint.objects.get(url=receiver.url)
        secret = shown.context["kept"]["text"]
        assert endpoint.event_types == ["spend_cap.reached"]
        assert secret not in browser.get(reverse("webhook-shown")).content.decode()
        browser.post(reverse("webhook-test", args=[endpoint.pk]))
        delivery = WebhookDelivery.objects.get(endpoint=endpoint)
        deliver(delivery_id=delivery.pk)
        assert receiver.verify(secret)["type"] == "webhook.test"
        assert "204 in" in browser.get(reverse("webhook", args=[endpoint.pk])).content.decode()
        fresh = browser.post(reverse("webhook-rotate", args=[endpoint.pk]), {"hours": "1"}, follow=True)
        browser.post(reverse("webhook-resend", args=[delivery.pk]))
        deliver(delivery_id=delivery.pk)
        assert receiver.verify(fresh.context["kept"]["text"]) == receiver.verify(secret)
    browser.post(reverse("webhook", args=[endpoint.pk]), {"url": receiver.url})
    endpoint.refresh_from_db()
    assert (endpoint.enabled, endpoint.event_types) == (False, [])
    browser.post(reverse("webhook-delete", args=[endpoint.pk]))
    assert not WebhookEndpoint.objects.filter(pk=endpoint.pk).exists()
