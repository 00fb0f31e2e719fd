"""Staff see the console as a customer does: reading only, with a line on every page, and without secrets."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.helping.models import HelpConsent, HelpSession
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


@pytest.fixture
def acting(shop: Shop, sam: Client) -> Client:
    """Sam helps Alice, who lets staff make changes."""
    signed_in(shop.alice).post(reverse("help-consent"), {"hours": 1})
    given = {"person": shop.alice.pk, "reason": "Case 8", "acts": "on"}
    sam.post(reverse("help-begin", args=[shop.organization.pk]), given)
    return sam


def test_staff_may_say_that_they_make_changes_only_where_the_customer_lets_them(
    shop: Shop, sam: Client
) -> None:
    address = reverse("help-begin", args=[shop.organization.pk])
    assert "Make changes, too" not in sam.get(address).content.decode()
    sam.post(address, {"person": shop.alice.pk, "reason": "Case 8", "acts": "on"})
    assert not HelpSession.objects.get().acts
    sam.post(reverse("help-end"))
    signed_in(shop.alice).post(reverse("help-consent"), {"hours": 1})
    assert "Make changes, too" in sam.get(address).content.decode()


def test_a_change_is_made_and_the_audit_trail_names_who_made_it(shop: Shop, acting: Client) -> None:
    assert "and may make changes" in acting.get(reverse("console")).content.decode()
    answer = acting.post(reverse("application-edit", args=shop.places["application-edit"]), {"name": "Fixed"})
    assert answer.status_code == 302
    line = AuditEvent.objects.get(action="application.changed")
    assert line.actor is not None
    assert (line.actor.email, line.actor_label) == (
        "sam@example.com",
        "sam@example.com for alice@example.com",
    )
    assert line.organization == shop.organization
    page = signed_in(shop.alice).get(reverse("audit")).content.decode()
    assert "sam@example.com for alice@example.com" in page


@pytest.mark.parametrize(
    "name", ["key-new", "key-rotate", "token-revoke", "invoice-pay", "member-remove", "help-consent"]
)
def test_what_makes_secrets_pays_or_concerns_members_she_does_herself(
    shop: Shop, acting: Client, name: str
) -> None:
    lines = AuditEvent.objects.count()
    given = {"name": "x", "environment": "live", "expires": "0", "hours": "168"}
    answer = acting.post(reverse(name, args=shop.places.get(name, [])), given)
    assert answer.status_code == 403
    assert "This only she may do herself" in answer.content.decode()
    assert AuditEvent.objects.count() == lines


def test_once_it_is_withdrawn_or_over_nothing_can_be_changed(shop: Shop, acting: Client) -> None:
    edit = reverse("application-edit", args=shop.places["application-edit"])
    signed_in(shop.alice).post(reverse("help-consent-end"))
    assert "Nothing was changed" in acting.post(edit, {"name": "Late"}).content.decode()
    assert "reading only" in acting.get(reverse("console")).content.decode()
    signed_in(shop.alice).post(reverse("help-consent"), {"hours": 1})
    assert acting.post(edit, {"name": "Again"}).status_code == 302
    HelpConsent.objects.update(until=now() - timedelta(seconds=1))
    assert acting.post(edit, {"name": "Late"}).status_code == 403
    assert [each.action for each in AuditEvent.objects.filter(action__startswith="help.")[:2]] == [
        "help.allowed",
        "help.withdrawn",
    ]


def test_only_who_administers_lets_staff_in(shop: Shop) -> None:
    people = people_of(shop)
    for who, status in (("owner", 302), ("admin", 302), ("member", 403), ("billing", 403)):
        browser = signed_in(people[who])
        offered = "Let them make changes" in browser.get(reverse("organization")).content.decode()
        assert offered == (status == 302), who
        assert browser.post(reverse("help-consent"), {"hours": 24}).status_code == status, who
        HelpConsent.objects.all().delete()


def test_a_span_that_is_not_offered_is_refused(shop: Shop) -> None:
    answer = signed_in(shop.alice).post(reverse("help-consent"), {"hours": 9_999}, follow=True)
    assert "Choose for how long" in answer.content.decode()
    assert not HelpConsent.objects.exists()
