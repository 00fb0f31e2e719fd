"""What the buttons of the console do, and what they say when a rule forbids it."""

from datetime import UTC, datetime

import pytest
from django.contrib.messages import get_messages
from django.http import HttpResponse
from django.urls import reverse

from access.models import ApiKey, KeyState
from accounts.models import ApiToken, Role
from tests.factories import make_member, make_organization, make_user
from tests.portal.factories import Shop, make_shop, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


def press(shop: Shop, name: str, data: dict[str, str] | None = None) -> HttpResponse:
    return signed_in(shop.alice).post(reverse(name, args=shop.places.get(name, [])), data or {})


def said(response: HttpResponse) -> str:
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


def test_a_key_is_revoked_for_good(shop: Shop) -> None:
    assert press(shop, "key-revoke").status_code == 302
    shop.key.refresh_from_db()
    assert shop.key.state == KeyState.REVOKED
    again = press(shop, "key-enable")
    assert "revoked" in said(again)


def test_a_key_is_disabled_and_enabled(shop: Shop) -> None:
    for name, state in (("key-disable", KeyState.DISABLED), ("key-enable", KeyState.ACTIVE)):
        press(shop, name)
        shop.key.refresh_from_db()
        assert shop.key.state == state


def test_a_key_is_edited_and_told_what_is_wrong_at_the_field(shop: Shop) -> None:
    shop.organization.timezone = "Asia/Tokyo"
    shop.organization.save()
    data = {
        "name": "Till 2",
        "expires_at": "2099-01-01 09:00",
        "ips": "203.0.113.7",
        "referrers": "*.example.com",
    }
    assert press(shop, "key-edit", data).status_code == 302
    shop.key.refresh_from_db()
    assert (shop.key.name, shop.key.ips, shop.key.referrers) == (
        "Till 2",
        ["203.0.113.7/32"],
        ["*.example.com"],
    )
    assert shop.key.expires_at == datetime(2099, 1, 1, tzinfo=UTC)
    response = press(shop, "key-edit", data | {"referrers": "https://example.com"})
    assert "without https://" in response.content.decode()
    assert (
        "203.0.113.7/32"
        in signed_in(shop.alice).get(reverse("application", args=[shop.application.pk])).content.decode()
    )


def test_rotating_makes_a_new_key_beside_the_old_one(shop: Shop) -> None:
    grace = "86400"
    response = press(shop, "key-rotate", {"grace": grace})
    assert response.status_code == 302, response.content.decode()[:2000]
    shop.key.refresh_from_db()
    assert shop.key.replaced_by in ApiKey.objects.exclude(pk=shop.key.pk)
    assert shop.key.grace_until is not None


def test_a_cancelled_subscription_is_over(shop: Shop) -> None:
    press(shop, "subscription-cancel", {"at": "now"})
    shop.subscription.refresh_from_db()
    assert shop.subscription.state == "cancelled"


def test_a_token_is_shown_once_and_revoked(shop: Shop) -> None:
    browser = signed_in(shop.alice)
    response = browser.post(reverse("tokens"), {"name": "Deploy", "expires": "0"})
    assert response.status_code == 302
    assert b"gat_" in browser.get(response["Location"]).content
    token = ApiToken.objects.get(name="Deploy")
    page = browser.get(response["Location"])
    assert token.hash.encode() not in page.content
    assert b"once" in page.content
    browser.post(reverse("token-revoke", args=[token.pk]))
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_the_last_owner_stays_and_the_page_says_why(shop: Shop) -> None:
    alice = shop.organization.members.get(user=shop.alice)
    browser = signed_in(shop.alice)
    response = browser.post(reverse("member-role", args=[alice.pk]), {"role": Role.MEMBER})
    alice.refresh_from_db()
    assert alice.role == Role.OWNER
    assert "owner" in said(response)


def test_a_member_is_invited_by_her_address_and_removed(shop: Shop) -> None:
    bob = make_user("bob")
    browser = signed_in(shop.alice)
    browser.post(reverse("organization"), {"form": "member", "email": bob.email, "role": Role.BILLING})
    assert shop.organization.member_invitations.get(email=bob.email).role == Role.BILLING
    assert not shop.organization.members.filter(user=bob).exists()
    member = make_member(shop.organization, bob, Role.BILLING)
    browser.post(reverse("member-remove", args=[member.pk]))
    assert not shop.organization.members.filter(user=bob).exists()


def test_she_switches_only_to_an_organization_of_hers(shop: Shop) -> None:
    other, foreign = make_organization(name="Second"), make_organization(name="Foreign")
    make_member(other, shop.alice, Role.OWNER)
    browser = signed_in(shop.alice)
    browser.post(reverse("organization-switch"), {"organization": other.pk})
    assert b"Second" in browser.get(reverse("console")).content
    assert browser.post(reverse("organization-switch"), {"organization": foreign.pk}).status_code == 404
    assert b"Foreign" not in browser.get(reverse("console")).content
