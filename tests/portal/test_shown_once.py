"""A new secret: shown by one page, once, and not kept for a page that nobody opens."""

import time

import pytest
from django.test import Client
from django.urls import reverse

from access.models import ApiKey, PlanVisibility
from portal import shown_once
from tests.portal.factories import make_open_plan, make_shop, signed_in

pytestmark = pytest.mark.django_db


def make_a_key(browser: Client, application_id: str) -> tuple[str, str]:
    """Make a key through the page; returns the address that shows it, and the key's text."""
    given = {"name": "Server", "environment": "live", "expires": "0"}
    answer = browser.post(reverse("key-new", args=[application_id]), given)
    assert answer.status_code == 302
    return answer["Location"], browser.session[shown_once.SESSION_KEY]["text"]


def test_a_key_is_shown_once_and_then_gone_from_the_session() -> None:
    shop = make_shop()
    alice = signed_in(shop.alice)
    place, text = make_a_key(alice, shop.application.pk)
    assert text in alice.get(place).content.decode()
    assert shown_once.SESSION_KEY not in alice.session
    assert text not in alice.get(place).content.decode()
    assert text.startswith(ApiKey.objects.get(name="Server").prefix)


def test_an_abandoned_secret_leaves_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = make_shop()
    alice = signed_in(shop.alice)
    place, text = make_a_key(alice, shop.application.pk)
    later = time.time() + shown_once.KEPT_FOR + 1
    monkeypatch.setattr("portal.shown_once.time.time", lambda: later)
    alice.get(reverse("applications"))
    assert shown_once.SESSION_KEY not in alice.session
    assert text not in alice.get(place).content.decode()


def test_a_visitor_who_picks_a_plan_is_asked_to_sign_up_and_it_is_remembered() -> None:
    plan = make_open_plan()
    visitor = signed_in(None)
    answer = visitor.get(reverse("subscribe", args=[plan.pk]))
    assert answer["Location"].startswith(reverse("account_signup"))
    assert visitor.session["wanted_plan"] == plan.pk


@pytest.mark.parametrize("visibility", [PlanVisibility.ARCHIVED, PlanVisibility.HIDDEN])
def test_a_plan_off_the_website_is_not_found_by_anybody(visibility: str) -> None:
    plan = make_open_plan(visibility=visibility)
    for browser in (signed_in(None), signed_in(make_shop().alice)):
        assert browser.get(reverse("subscribe", args=[plan.pk])).status_code == 404
