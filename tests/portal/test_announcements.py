"""Announcements as a provider writes them, and as a reader unsubscribes."""

from typing import Any

import pytest
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from access.announcements.letter import unsubscribe_address
from access.announcements.models import Announcement, NewsOptOut
from tests.factories import make_application, make_organization, make_plan, make_subscription, make_user
from tests.portal.factories import Shop, make_shop, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    """Dora develops with it."""
    shop = make_shop()
    make_subscription(make_application(make_organization(make_user("dora"))), shop.plan)
    return shop


def press(shop: Shop, name: str, data: dict[str, Any], *places: str) -> HttpResponse:
    return signed_in(shop.alice).post(reverse(name, args=places), data, follow=True)


def test_a_mail_is_written_previewed_tried_and_sent(
    shop: Shop, django_capture_on_commit_callbacks: Any
) -> None:
    given = {"about": f"plan:{shop.plan.pk}", "kind": "news", "subject": "v2", "text": "<b>Faster</b>"}
    page = press(shop, "announcement-new", given).content.decode()
    for words in ("v2", "&lt;b&gt;Faster&lt;/b&gt;", "3 people", f"on {shop.plan.name}", "No more news from"):
        assert words in page
    made = Announcement.objects.get(subject="v2")
    with django_capture_on_commit_callbacks(execute=True):
        press(shop, "announcement-test", {}, made.pk)
    assert [each.to for each in mail.outbox] == [["alice@example.com"]]
    mail.outbox.clear()
    question = signed_in(shop.alice).get(reverse("announcement-send", args=[made.pk])).content.decode()
    assert "to 3 people?" in question
    with django_capture_on_commit_callbacks(execute=True):
        press(shop, "announcement-send", {}, made.pk)
    reached = {each.to[0] for each in mail.outbox}
    assert len(reached) == 3
    assert reached > {"alice@example.com", "dora@example.com"}
    done = signed_in(shop.alice).get(reverse("announcement", args=[made.pk])).content.decode()
    assert "3 of 3 sent" in done
    assert "Edit" not in done


def test_what_is_refused_loses_nothing_that_was_typed(shop: Shop) -> None:
    given = {"about": "everybody", "kind": "news", "subject": "", "text": "Long letter"}
    page = press(shop, "announcement-new", given).content.decode()
    assert "This field is required" in page
    assert "Long letter" in page


def test_another_providers_plan_cannot_be_chosen(shop: Shop) -> None:
    foreign = make_plan()
    given = {"about": f"plan:{foreign.pk}", "kind": "news", "subject": "v2", "text": "Hi"}
    assert "Select a valid choice" in press(shop, "announcement-new", given).content.decode()


def test_a_draft_is_edited_and_deleted(shop: Shop) -> None:
    made = Announcement.objects.get()
    edit = signed_in(shop.alice).get(reverse("announcement-edit", args=[made.pk])).content.decode()
    assert "v2 is here." in edit
    given = {"about": "everybody", "kind": "service", "subject": "Outage", "text": "Tonight."}
    press(shop, "announcement-edit", given, made.pk)
    assert Announcement.objects.get().subject == "Outage"
    press(shop, "announcement-delete", {}, made.pk)
    assert not Announcement.objects.exists()


def test_a_reader_unsubscribes_without_signing_in(shop: Shop) -> None:
    link = unsubscribe_address(shop.alice, shop.organization).removeprefix("http://localhost:8000")
    asks = Client().get(link).content.decode()
    assert "No more news of Shop?" in asks
    assert not NewsOptOut.objects.exists(), "a scanner that follows links unsubscribes nobody"
    # a mail program's one click has no cookie and no token
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert NewsOptOut.objects.get().user == shop.alice
    assert "gets news of Shop again" in Client().post(link, {"again": "1"}).content.decode()
    assert not NewsOptOut.objects.exists()
    assert Client().get(link[:-3] + "xx/").status_code == 404
