"""From a plan to a key that is shown once."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from access.models import ApiKey, Application, Subscription
from portal import shown_once
from tests.factories import make_application, make_organization, make_user
from tests.portal.factories import make_open_plan, signed_in

pytestmark = pytest.mark.django_db
KEY = re.compile(r"gh_live_[0-9A-Za-z]+_[0-9A-Za-z]{6}")


def developer() -> tuple[Client, object]:
    bob = make_user("bob")
    organization = make_organization(bob, name="Bob's")
    return signed_in(bob), organization


def test_a_visitor_is_asked_to_sign_up_and_her_plan_is_remembered() -> None:
    plan = make_open_plan()
    visitor = signed_in(None)
    page = reverse("subscribe", args=[plan.pk])
    response = visitor.get(page)
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_signup"))
    assert page in response["Location"].replace("%2F", "/")
    assert visitor.session["wanted_plan"] == plan.pk


def test_the_key_is_shown_once_with_a_curl_line_and_then_never_again() -> None:
    plan = make_open_plan()
    browser, organization = developer()
    response = browser.post(reverse("subscribe", args=[plan.pk]), {"application_name": "Shop"})
    assert response.status_code == 302
    first = browser.get(response["Location"]).content.decode()
    texts = set(KEY.findall(first))
    assert len(texts) == 1
    assert "curl -H" in first
    assert KEY.search(browser.get(response["Location"]).content.decode()) is None
    assert shown_once.SESSION_KEY not in browser.session
    subscription = Subscription.objects.get()
    assert (subscription.organization, subscription.plan) == (organization, plan)
    assert ApiKey.objects.get().application == subscription.application


def test_a_name_that_is_taken_is_an_error_at_its_field_and_nothing_is_made() -> None:
    plan = make_open_plan()
    browser, organization = developer()
    make_application(organization, name="Shop")
    page = reverse("subscribe", args=[plan.pk])
    data = {"application": "", "application_name": "Shop"}
    body = browser.post(page, data).content.decode()
    assert 'aria-invalid="true"' in body
    assert 'value="Shop"' in body
    assert Application.objects.count() == 1
    assert not ApiKey.objects.exists()


def test_a_plan_with_approval_says_that_it_must_wait() -> None:
    plan = make_open_plan(requires_approval=True)
    browser, _ = developer()
    page = reverse("subscribe", args=[plan.pk])
    assert "approves each subscription" in browser.get(page).content.decode()
    response = browser.post(page, {"application_name": "Shop"})
    assert "has not approved" in browser.get(response["Location"]).content.decode()
    assert Subscription.objects.get().state == "pending"


def test_an_archived_plan_cannot_be_chosen() -> None:
    plan = make_open_plan(visibility="archived")
    browser, _ = developer()
    page = reverse("subscribe", args=[plan.pk])
    assert browser.get(page).status_code == 404
    assert signed_in(None).get(page).status_code == 404
    assert browser.post(page, {"application_name": "Shop"}).status_code == 404


def test_a_secret_that_nobody_came_to_see_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_open_plan()
    browser, _ = developer()
    response = browser.post(reverse("subscribe", args=[plan.pk]), {"application_name": "Shop"})
    later = shown_once.time.time() + shown_once.KEPT_FOR + 1
    monkeypatch.setattr(shown_once.time, "time", lambda: later)
    assert KEY.search(browser.get(response["Location"]).content.decode()) is None
    assert shown_once.SESSION_KEY not in browser.session
