"""Inviting, joining and handing over, as browsers do it."""

import logging
import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import OwnershipOffer, Role, User
from accounts.teams.ownership import offer_ownership
from billing.models import Invoice, InvoiceState
from tests.factories import PASSWORD, make_member, make_organization, make_user
from tests.portal.factories import signed_in
from tests.rest.factories import make_invoice

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_rate_limits():
    cache.clear()


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def alice():
    user = make_user("alice", password=PASSWORD)
    make_organization(user, name="Acme")
    return signed_in(user)


@pytest.fixture
def link(alice, commit):
    """The link that dora@example.com gets."""
    with commit():
        sent = {"form": "member", "email": "Dora@example.com", "role": "admin"}
        assert alice.post(reverse("organization"), sent).status_code == 302
    return re.search(r"http://localhost:8000(/invitations/\S+/)", mail.outbox[-1].body).group(1)


def text(response) -> str:
    return re.sub(r"\s+", " ", response.content.decode())


def test_a_newcomer_signs_up_and_is_led_back_to_what_she_was_invited_to(link, commit):
    browser = Client()
    page = text(browser.get(link))
    for part in ("Join Acme", "alice@example.com", "dora@example.com", "Admin"):
        assert part in page
    signup = re.search(r'href="(/accounts/signup/[^"]+)"', page).group(1).replace("&amp;", "&")
    assert 'value="dora@example.com"' in text(browser.get(signup))
    with commit():
        browser.post(signup, {"email": "dora@example.com", "password1": PASSWORD, "next": link})
    code = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE).group()
    with commit():
        assert browser.post("/accounts/confirm-email/", {"code": code}).url == link
    page = text(browser.get(link))
    assert "Accept and join" in page
    assert browser.post(link).url == reverse("console")
    dora = User.objects.get(email="dora@example.com")
    assert dora.memberships.get(organization__name="Acme").role == "admin"
    assert "Acme" in text(browser.get(reverse("organization")))
    assert browser.get(link).status_code == 410


def test_somebody_else_is_told_whom_it_is_for_and_gets_nothing(link):
    charlie = make_user("charlie")
    response = signed_in(charlie).post(link)
    assert response.status_code == 403
    assert "for dora@example.com, and you are signed in as charlie@example.com" in text(response)
    assert not charlie.memberships.exists()


def test_no_log_holds_the_link(link):
    handler = next(each for each in logging.getLogger().handlers if each.filters)
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, "%s: %s", ("Forbidden", link), None)
    handler.filter(record)
    assert handler.format(record) == "WARNING django.request: Forbidden: /invitations/…/"


def test_an_invited_person_can_sign_up_where_it_is_closed_with_that_address_only(link, commit, settings):
    settings.GATEHOUSE_SIGNUP_OPEN = False
    browser = Client()
    wish = {"email": "dora@example.com", "password1": PASSWORD}
    browser.post("/accounts/signup/", wish)
    assert not User.objects.filter(email="dora@example.com").exists()
    browser.get(link)
    response = browser.post("/accounts/signup/", wish | {"email": "eve@example.com"})
    assert "address that was invited: dora@example.com" in text(response)
    with commit():
        browser.post("/accounts/signup/", wish)
    assert User.objects.filter(email__in=("dora@example.com", "eve@example.com")).count() == 1


def test_the_team_sees_who_waits_and_can_withdraw(alice, link):
    page = text(alice.get(reverse("organization")))
    assert "dora@example.com" in page
    withdraw = re.search(r'href="(/console/organization/invitations/\w+/withdraw/)"', page).group(1)
    assert "Withdraw the invitation of dora@example.com?" in text(alice.get(withdraw))
    alice.post(withdraw)
    alice.get(reverse("organization"))  # it says what was done
    assert "dora@example.com" not in text(alice.get(reverse("organization")))
    assert Client().get(link).status_code == 410


def test_a_refused_invitation_keeps_what_was_typed(alice):
    sent = {"form": "member", "email": "alice@example.com", "role": "billing"}
    page = text(alice.post(reverse("organization"), sent))
    assert "is a member already" in page
    assert 'value="alice@example.com"' in page
    assert '<option value="billing" selected>' in page


def test_handing_over_asks_who_she_is_and_then_the_new_owner(alice, commit):
    acme = User.objects.get(email="alice@example.com").memberships.get().organization
    bob = make_member(acme, make_user("bob", password=PASSWORD))
    offer = reverse("ownership-offer")
    asked = alice.get(offer)
    assert asked.url.startswith(reverse("account_reauthenticate"))
    assert alice.post(offer, {"member": bob.pk}).status_code == 302
    assert not OwnershipOffer.objects.exists()
    # what she wanted is done once she has shown that it is her
    alice.post(asked.url, {"password": PASSWORD})
    assert OwnershipOffer.objects.get().offered_to == bob
    his = signed_in(bob.user)
    assert "wants to hand Acme over to you" in text(his.get(reverse("organization")))
    accept = reverse("ownership-accept")
    again = his.post(accept).url
    assert again.startswith(reverse("account_reauthenticate"))
    assert acme.members.get(user=bob.user).role == "member"
    his.post(again, {"password": PASSWORD})
    assert dict(acme.members.values_list("user__email", "role")) == {
        "alice@example.com": "admin",
        "bob@example.com": "owner",
    }


def test_an_offer_can_be_declined_and_is_nobody_elses_to_take(alice):
    acme = User.objects.get(email="alice@example.com").memberships.get().organization
    bob, carol = make_member(acme, make_user("bob")), make_member(acme, make_user("carol"), Role.ADMIN)
    offer_ownership(organization=acme, member=bob, owner=acme.members.get(role="owner"))
    hers = signed_in(carol.user)
    assert hers.post(reverse("ownership-accept")).status_code == 403
    assert hers.post(reverse("ownership-end")).status_code == 403
    assert signed_in(bob.user).post(reverse("ownership-end")).status_code == 302
    assert not OwnershipOffer.objects.exists()
    assert acme.members.get(role="owner").user.email == "alice@example.com"


def test_an_owner_closes_the_organization_and_an_admin_does_not() -> None:
    organization = make_organization(make_user("alice"), name="Shop")
    owner = organization.members.get().user
    admin = make_member(organization, make_user("bob"), Role.ADMIN)
    place = reverse("organization-close")
    assert signed_in(admin.user).post(place, {"name": "Shop"}).status_code == 403
    browser = signed_in(owner)
    invoice = make_invoice(make_organization(), organization)
    page = browser.get(place).content.decode()
    assert "Pay them under Invoices" in page
    assert 'name="name"' not in page
    Invoice.objects.filter(pk=invoice.pk).update(state=InvoiceState.VOID)
    wrong = browser.post(place, {"name": "Shopp"}).content.decode()
    assert "Type Shop, as it is written here." in wrong
    assert browser.post(place, {"name": "Shop"})["Location"] == reverse("home")
    organization.refresh_from_db()
    assert organization.closed_at is not None
    assert "is closed" in browser.get(reverse("home")).content.decode()
    assert browser.get(reverse("console"))["Location"] == reverse("organization-new")
