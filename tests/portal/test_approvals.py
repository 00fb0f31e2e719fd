"""The approvals queue as a provider works through it."""

import html
import re
from typing import Any

import pytest
from django.core import mail
from django.http import HttpResponse
from django.urls import reverse

from access.change_plan import change_plan
from access.models import Subscription
from tests.factories import make_application, make_organization, make_plan, make_subscription
from tests.portal.factories import Shop, make_shop, people_of, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def asked(shop: Shop, name: str) -> Subscription:
    application = make_application(make_organization(name=name), name=f"App of {name}")
    return make_subscription(application, shop.plan, state="pending")


def look(shop: Shop) -> str:
    return signed_in(shop.alice).get(reverse("approvals")).content.decode()


def press(shop: Shop, data: dict[str, Any], page: str = "approvals", query: str = "") -> HttpResponse:
    return signed_in(shop.alice).post(reverse(page) + query, data, follow=True)


def test_an_empty_queue_says_so(shop: Shop) -> None:
    text = look(shop)
    assert "Nothing waits" in text
    assert 'class="count"' not in text


def test_what_waits_is_listed_with_its_price_and_counted(shop: Shop) -> None:
    asked(shop, "Kiosk Ltd")
    gold = make_plan(*shop.plan.stages.all(), name="Gold", requires_approval=True)
    change_plan(subscription=shop.subscription, plan=gold, actor=shop.alice)
    text = look(shop)
    for words in (
        "Kiosk Ltd",
        "App of Kiosk Ltd",
        "New subscription",
        "Gold",
        "Change from",
        "alice@example.com",
    ):
        assert words in text
    assert '<span class="count">2' in text
    assert "2 waiting for approval" in signed_in(shop.alice).get(reverse("provider")).content.decode()


def test_the_chosen_are_approved_at_once(shop: Shop, django_capture_on_commit_callbacks: Any) -> None:
    first, second, left = (asked(shop, name) for name in ("One", "Two", "Three"))
    with django_capture_on_commit_callbacks(execute=True):
        answer = press(shop, {"chosen": [first.pk, second.pk], "act": "approve"})
    assert "2 approved" in answer.content.decode()
    states = dict(Subscription.objects.values_list("pk", "state"))
    assert (states[first.pk], states[second.pk], states[left.pk]) == ("active", "active", "pending")
    assert len(mail.outbox) == 2


def test_the_question_sends_whom_it_asks_about(shop: Shop) -> None:
    waits = asked(shop, "Kiosk Ltd")
    query = f"?organization={shop.organization.pk}&chosen={waits.pk}"
    page = signed_in(shop.alice).get(reverse("approvals-refuse") + query).content.decode()
    address = re.search('action="([^"]+)" data-question', page)
    assert address
    assert html.unescape(address[1]) == reverse("approvals-refuse") + query


def test_one_button_answers_its_row_only(shop: Shop) -> None:
    first, second = asked(shop, "One"), asked(shop, "Two")
    press(shop, {"chosen": [first.pk], "only": second.pk})
    assert dict(Subscription.objects.values_list("pk", "state"))[first.pk] == "pending"
    assert Subscription.objects.get(pk=second.pk).state == "active"


def test_refusing_asks_for_a_reason_and_keeps_it(shop: Shop) -> None:
    first = asked(shop, "One")
    asking = press(shop, {"chosen": [first.pk], "act": "refuse"})
    assert "Refuse 1 request?" in asking.content.decode()
    where = asking.redirect_chain[0][0].partition("?")[2]
    empty = press(shop, {"reason": ""}, "approvals-refuse", f"?{where}")
    assert "This field is required" in empty.content.decode()
    press(shop, {"reason": "No free rides"}, "approvals-refuse", f"?{where}")
    first.refresh_from_db()
    assert first.state == "cancelled"
    assert "No free rides" in first.organization.audit_events.get().summary


def test_nothing_chosen_is_said(shop: Shop) -> None:
    asked(shop, "One")
    assert "Choose requests first." in press(shop, {"act": "approve"}).content.decode()


def test_who_may_not_manage_sees_no_buttons_and_cannot_press(shop: Shop) -> None:
    waiting = asked(shop, "One")
    clerk = signed_in(people_of(shop)["billing"])
    assert "Approve" not in clerk.get(reverse("approvals")).content.decode().replace("Approvals", "")
    assert clerk.post(reverse("approvals"), {"only": waiting.pk}).status_code == 403
    waiting.refresh_from_db()
    assert waiting.state == "pending"


def test_what_waits_for_others_is_out_of_reach(shop: Shop) -> None:
    others = make_subscription(plan=make_plan(), state="pending")
    answer = press(shop, {"only": others.pk})
    assert "None of them waits any more." in answer.content.decode()
    others.refresh_from_db()
    assert others.state == "pending"
