"""Staff see the console as a customer does: reading only, with a line on every page, and without secrets."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.helping.models import HelpSession
from accounts.models import AuditEvent
from tests.factories import make_organization, make_staff, make_user
from tests.portal.factories import Shop, make_shop, people_of, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def sam() -> Client:
    return signed_in(make_staff("sam"))


@pytest.fixture
def looking(shop: Shop, sam: Client) -> Client:
    given = {"person": shop.alice.pk, "reason": "Case 7"}
    answer = sam.post(reverse("help-begin", args=[shop.organization.pk]), given)
    assert answer["Location"] == reverse("console")
    return sam


def test_the_page_says_what_it_does_and_offers_no_staff(shop: Shop, sam: Client) -> None:
    shop.organization.members.create(user=make_staff("sally"))
    page = sam.get(reverse("help-begin", args=[shop.organization.pk])).content.decode()
    assert "reading only" in page
    assert "alice@example.com (Owner)" in page
    assert "sally" not in page
    assert f'href="{reverse("customers")}?organization={shop.organization.pk}" aria-current="page"' in page


def test_every_page_is_hers_and_says_so(shop: Shop, looking: Client) -> None:
    for name in ("console", "applications", "organization", "audit", "home", "invoices"):
        page = looking.get(reverse(name)).content.decode()
        assert "You see the site as <strong>alice@example.com</strong> of Shop" in page, name
    assert "Till" in looking.get(reverse("applications")).content.decode()


def test_only_the_organization_that_is_told_of_it_is_seen(shop: Shop, looking: Client) -> None:
    make_organization(shop.alice, name="Alice's other company")
    assert "other company" not in looking.get(reverse("console")).content.decode()


@pytest.mark.parametrize(
    "name", ["application-edit", "key-revoke", "key-new", "token-revoke", "customer-suspend"]
)
def test_nothing_can_be_written(shop: Shop, looking: Client, name: str) -> None:
    lines = AuditEvent.objects.count()
    given = {"name": "Hacked", "environment": "live", "expires": "0", "reason": "x"}
    answer = looking.post(reverse(name, args=shop.places[name]), given)
    assert answer.status_code == 403
    assert "Nothing was changed" in answer.content.decode()
    assert AuditEvent.objects.count() == lines


@pytest.mark.parametrize(
    "address", ["/accounts/password/change/", "/accounts/email/", "/console/security/", "/admin/", "/outbox/"]
)
def test_what_is_her_own_stays_closed(looking: Client, address: str) -> None:
    assert looking.get(address).status_code == 403


def test_no_secret_is_shown(shop: Shop, looking: Client) -> None:
    for name in ("key-shown", "token-shown", "webhook-shown"):
        answer = looking.get(reverse(name, args=shop.places.get(name, [])))
        assert answer.status_code == 403, name
        assert "shown to nobody else" in answer.content.decode()


def test_the_button_ends_it(looking: Client) -> None:
    answer = looking.post(reverse("help-end"), follow=True)
    assert "You see the site as yourself again" in answer.content.decode()
    assert "You see the site as <strong>" not in answer.content.decode()
    assert looking.get("/admin/").status_code == 200
    assert HelpSession.objects.get().ended_at is not None


def test_signing_out_ends_it(looking: Client) -> None:
    looking.post("/accounts/logout/")
    assert HelpSession.objects.get().ended_at is not None
    assert looking.get(reverse("console")).status_code == 302


def test_after_half_an_hour_it_is_over(looking: Client) -> None:
    HelpSession.objects.update(ends_at=now() - timedelta(seconds=1))
    answer = looking.get(reverse("console"), follow=True)
    assert "is over" in answer.content.decode()
    assert [each.action for each in AuditEvent.objects.filter(organization=None)[:2]] == [
        "help.ended",
        "help.began",
    ]


def test_whoever_has_no_such_right_finds_no_page(shop: Shop) -> None:
    clerk = make_user("clara", is_staff=True)
    people = people_of(shop)
    for person in (clerk, people["owner"], people["foreign"]):
        page = reverse("help-begin", args=[shop.organization.pk])
        assert signed_in(person).get(page).status_code == 404
        assert signed_in(person).post(page, {"person": shop.alice.pk, "reason": "x"}).status_code == 404
    assert not HelpSession.objects.exists()


def test_a_session_key_of_somebody_else_shows_nothing(shop: Shop, looking: Client) -> None:
    """Were the session of another person to hold the id, it would be hers no more."""
    bob = signed_in(make_user("bob"))
    session = bob.session
    session["helping"] = HelpSession.objects.get().pk
    session.save()
    bob.get(reverse("console"))
    assert "alice@example.com" not in bob.get(reverse("console")).content.decode()
