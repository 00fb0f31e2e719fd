"""Signing up and in with an OpenID Connect provider that really runs; and whose account nobody gets that way."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEvent, Organization, User
from accounts.teams.invitations import invite_member
from tests.accounts.social.oidc_provider import OidcProvider
from tests.factories import PASSWORD, make_organization, make_user

pytestmark = pytest.mark.django_db
CALLBACK = "/accounts/oidc/company/login/callback/"


@pytest.fixture(scope="module")
def running():
    provider = OidcProvider()
    yield provider
    provider.close()


@pytest.fixture
def provider(running, settings):
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [running.app()]}}
    running.audience = "gatehouse"
    cache.clear()
    return running


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


def is_at(provider, **claims):
    provider.person = {
        "sub": "42",
        "email": "dora@example.com",
        "email_verified": True,
        "name": "Dora D",
    } | claims


def leave(browser: Client, **form: str) -> str:
    """Press the button; returns the address at the provider to which the page leads."""
    response = browser.post(reverse("signin-with", args=["company"]), form)
    assert response.status_code == 200
    return unescape(
        re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', response.content.decode()).group(1)
    )


def come_back(browser: Client, address: str):
    """What the provider answers is opened in the browser."""
    there = requests.get(address, allow_redirects=False, timeout=5)
    back = urlsplit(there.headers["Location"])
    assert back.path == CALLBACK
    return browser.get(back.path, dict(parse_qsl(back.query)))


def go(browser: Client, **form: str):
    return come_back(browser, leave(browser, **form))


def test_a_newcomer_with_a_verified_address_is_in_at_once_and_owns_an_organization(provider):
    is_at(provider)
    browser = Client()
    assert "Go on with Company" in browser.get("/accounts/login/").content.decode()
    response = go(browser, next="/apis/httpbin/")
    assert response["Location"] == "/apis/httpbin/"
    dora = User.objects.get()
    assert browser.session["_auth_user_id"] == str(dora.pk)
    assert (dora.email, dora.name, dora.has_usable_password()) == ("dora@example.com", "Dora D", False)
    assert dora.emailaddress_set.get().verified
    assert Organization.objects.get().members.get().user == dora
    assert AuditEvent.objects.get(action="person.signed_up").summary == "Signed up with Company."
    assert not SocialToken.objects.exists()
    # and the second time it is the same person, also after her address there has changed
    is_at(provider, email="dora.d@example.com")
    assert go(Client()).status_code == 302
    assert (User.objects.count(), SocialAccount.objects.count()) == (1, 1)
    assert User.objects.get().email == "dora@example.com"


@pytest.mark.parametrize("claim", [False, "false", None, 1])
def test_an_address_that_is_not_verified_there_is_verified_here(provider, commit, claim):
    is_at(provider, email_verified=claim)
    browser = Client()
    with commit():
        assert go(browser)["Location"] == "/accounts/confirm-email/"
    assert "_auth_user_id" not in browser.session
    assert not User.objects.get().emailaddress_set.get().verified
    code = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE).group()
    browser.post("/accounts/confirm-email/", {"code": code})
    assert "_auth_user_id" in browser.session


@pytest.mark.parametrize("verified", [True, False, "false"])
def test_nobody_gets_into_an_existing_account_by_its_address(provider, commit, verified):
    alice = make_user("alice", password=PASSWORD)
    is_at(provider, email="alice@example.com", email_verified=verified)
    browser = Client()
    with commit():
        response = go(browser)
    assert "_auth_user_id" not in browser.session
    assert not SocialAccount.objects.exists()
    assert User.objects.get() == alice
    if verified is True:
        assert "has an account here already" in browser.get(response["Location"]).content.decode()
    else:
        # who has not shown that the address is hers does not learn that it has an account; its owner gets a mail
        assert "already" not in browser.get(response["Location"]).content.decode()
        assert mail.outbox[-1].to == ["alice@example.com"]
        assert "sign in first, then connect the two" in mail.outbox[-1].body
        browser.post("/accounts/confirm-email/", {"code": "000000"})
        assert "_auth_user_id" not in browser.session


def test_she_connects_an_account_after_showing_that_it_is_her_and_signs_in_with_it(provider, commit):
    alice = make_user("alice", password=PASSWORD)
    is_at(provider, email="alice@elsewhere.example")
    browser = Client()
    browser.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    response = go(browser, process="connect")
    assert response["Location"] == "/accounts/reauthenticate/"
    assert not SocialAccount.objects.exists()
    with commit():
        assert browser.post("/accounts/reauthenticate/", {"password": PASSWORD})["Location"] == reverse(
            "security"
        )
    assert SocialAccount.objects.get().user == alice
    assert "An account of Company was connected" in mail.outbox[-1].body
    page = browser.get(reverse("security")).content.decode()
    assert "alice@elsewhere.example" in page
    assert "Connected Company." in page
    other = Client()
    go(other)
    assert other.session["_auth_user_id"] == str(alice.pk)
    account = SocialAccount.objects.get()
    browser.post(reverse("socialaccount_connections"), {"account": account.pk})
    assert not SocialAccount.objects.exists()
    assert AuditEvent.objects.filter(action="person.disconnected", actor=alice).exists()


def test_the_last_way_in_cannot_be_taken_away(provider):
    is_at(provider)
    browser = Client()
    go(browser)
    refused = browser.post(reverse("socialaccount_connections"), {"account": SocialAccount.objects.get().pk})
    assert "Set a password or add a passkey first" in refused.content.decode()
    assert SocialAccount.objects.exists()


def test_an_answer_that_was_not_asked_for_in_this_browser_is_refused(provider):
    """Login CSRF: a link with the attacker's code signs nobody in."""
    is_at(provider)
    address = leave(Client())
    victim = Client()
    assert come_back(victim, address).status_code == 401
    assert "_auth_user_id" not in victim.session
    assert not User.objects.exists()


def test_an_id_token_for_another_client_is_refused(provider):
    is_at(provider)
    provider.audience = "another"
    assert go(Client()).status_code == 401
    assert not User.objects.exists()


def test_the_way_back_stays_on_this_site(provider):
    is_at(provider)
    assert go(Client(), next="https://evil.example/")["Location"] == "/console/"


def test_where_sign_up_is_closed_only_who_is_invited_comes_in(provider, settings, commit):
    settings.GATEHOUSE_SIGNUP_OPEN = False
    is_at(provider)
    go(Client())
    assert not User.objects.filter(email="dora@example.com").exists()
    acme = make_organization(make_user("alice"))
    with commit():
        invite_member(
            organization=acme, email="dora@example.com", role="member", actor=acme.members.get().user
        )
    link = re.search(r"http://localhost:8000(/invitations/\S+/)", mail.outbox[-1].body).group(1)
    eve, dora = Client(), Client()
    for browser in (eve, dora):
        browser.get(link)
    is_at(provider, sub="66", email="eve@example.com")
    go(eve)
    assert "_auth_user_id" not in eve.session
    is_at(provider)
    assert go(dora, next=link)["Location"] == link
    assert "_auth_user_id" in dora.session


def test_an_unknown_provider_is_not_there():
    assert Client().post(reverse("signin-with", args=["nobody"])).status_code == 404
