"""Signing up and in with Google, GitHub, GitLab and Microsoft, each in its own protocol, over loopback."""

import re
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from allauth.socialaccount.models import SocialAccount, SocialToken
from allauth.socialaccount.providers import registry
from allauth.socialaccount.providers.github.provider import GitHubProvider
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from allauth.socialaccount.providers.gitlab.provider import GitLabProvider
from allauth.socialaccount.providers.google.provider import GoogleProvider
from allauth.socialaccount.providers.google.views import GoogleOAuth2Adapter
from allauth.socialaccount.providers.microsoft.provider import MicrosoftGraphProvider
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from accounts.models import User
from portal.settings.signin import KNOWN_PROVIDERS
from tests.accounts.social.known_providers import CLIENT_ID, CLIENT_SECRET, PLACES, KnownProvider, Person
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
NAMES = {
    each.id: each.name for each in (GoogleProvider, GitHubProvider, GitLabProvider, MicrosoftGraphProvider)
}
# who tell whether they have verified an address
TELLS = ("google", "github")


@pytest.fixture(params=sorted(PLACES))
def provider(request, settings, monkeypatch):
    """Each of them in turn, switched on as its two settings switch it on, and at its addresses on loopback."""
    cache.clear()  # where it is counted how often one tries
    running = KnownProvider(request.param)
    app = {"client_id": CLIENT_ID, "secret": CLIENT_SECRET, "key": ""}
    app["settings"] = {"gitlab_url": running.url, "login_url": running.url, "graph_url": running.url}
    settings.SOCIALACCOUNT_PROVIDERS = {running.name: KNOWN_PROVIDERS[running.name] | {"APP": app}}
    settings.ROOT_URLCONF = "tests.accounts.social.known_urls"
    for each in (GoogleProvider, GitHubProvider, GitLabProvider, MicrosoftGraphProvider):
        monkeypatch.setitem(registry.provider_map, each.id, each)
    for adapter, name in ((GoogleOAuth2Adapter, "google"), (GitHubOAuth2Adapter, "github")):
        authorize, token, _ = PLACES[name]
        monkeypatch.setattr(adapter, "authorize_url", running.url + authorize)
        monkeypatch.setattr(adapter, "access_token_url", running.url + token)
    monkeypatch.setattr(GitHubOAuth2Adapter, "profile_url", f"{running.url}/user")
    monkeypatch.setattr(GitHubOAuth2Adapter, "emails_url", f"{running.url}/user/emails")
    yield running
    running.close()


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


def go(provider: KnownProvider, browser: Client, **form: str):
    """Press the button, be at the provider, and come back."""
    page = browser.post(reverse("signin-with", args=[provider.name]), form).content.decode()
    address = unescape(re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page).group(1))
    assert address.startswith(provider.url)
    there = requests.get(address, allow_redirects=False, timeout=5)
    back = urlsplit(there.headers["Location"])
    assert back.path == f"/accounts/{provider.name}/login/callback/"
    return browser.get(back.path, dict(parse_qsl(back.query)))


def is_in(browser: Client) -> str:
    return browser.session.get("_auth_user_id", "")


def test_a_newcomer_is_in_once_her_address_is_verified_there_or_here(provider, commit):
    browser = Client()
    assert f"Go on with {NAMES[provider.name]}" in browser.get("/accounts/login/").content.decode()
    with commit():
        answer = go(provider, browser, next="/console/usage/")
    dora = User.objects.get()
    assert (dora.email, dora.name) == ("dora@example.com", "Dora D")
    if provider.name not in TELLS:
        assert answer["Location"] == "/accounts/confirm-email/"
        assert not is_in(browser)
        code = re.search(r"^\d{6}$", mail.outbox[-1].body, re.MULTILINE).group()
        answer = browser.post("/accounts/confirm-email/", {"code": code})
    assert answer["Location"] == "/console/usage/"
    assert is_in(browser) == str(dora.pk)
    assert dora.emailaddress_set.get().verified
    assert dora.memberships.get().role == "owner"
    assert not SocialToken.objects.exists()
    # the second time it is the same person, whatever her address is there by then
    provider.person = Person(email="dora.d@example.com")
    again = Client()
    go(provider, again)
    assert is_in(again) == str(dora.pk)
    assert User.objects.count() == 1


def test_an_address_that_is_not_verified_there_is_verified_here(provider, commit):
    provider.person = Person(verified=False)
    browser = Client()
    with commit():
        assert go(provider, browser)["Location"] == "/accounts/confirm-email/"
    assert not is_in(browser)
    assert mail.outbox[-1].to == ["dora@example.com"]


@pytest.mark.parametrize("verified", [True, False])
def test_nobody_gets_into_an_existing_account_by_its_address(provider, commit, verified):
    alice = make_user("alice", password=PASSWORD)
    provider.person = Person(email="Alice@example.com", verified=verified)
    browser = Client()
    with commit():
        answer = go(provider, browser)
    assert not is_in(browser)
    assert not SocialAccount.objects.exists()
    assert User.objects.get() == alice
    told = "has an account here already" in browser.get(answer["Location"]).content.decode()
    assert told == (verified and provider.name in TELLS)


def test_she_connects_it_with_her_password_and_signs_in_with_it(provider):
    alice = make_user("alice", password=PASSWORD)
    browser = Client()
    browser.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert go(provider, browser, process="connect")["Location"] == "/accounts/reauthenticate/"
    assert not SocialAccount.objects.exists()
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert SocialAccount.objects.get().user == alice
    other = Client()
    go(provider, other)
    assert is_in(other) == str(alice.pk)


def test_who_does_not_consent_comes_back_to_a_page_that_says_so(provider):
    provider.denies = True
    browser = Client()
    answer = go(provider, browser)
    page = browser.get(answer["Location"]) if answer.status_code == 302 else answer
    assert page.status_code < 500
    assert "You stopped at the other provider." in page.content.decode()
    assert not is_in(browser)


def test_a_code_that_the_provider_does_not_know_lets_nobody_in(provider, monkeypatch):
    monkeypatch.setattr(provider, "token", lambda form: (200, {"error": "bad_verification_code"}))
    browser = Client()
    assert go(provider, browser).status_code == 401
    assert not is_in(browser)
    assert not User.objects.exists()


@pytest.mark.parametrize("provider", ["github"], indirect=True)
def test_githubs_further_addresses_take_nothing_from_their_owners(provider):
    alice = make_user("alice", password=PASSWORD)
    provider.person = Person(others={"alice@example.com": False})
    browser = Client()
    go(provider, browser)
    dora = User.objects.get(email="dora@example.com")
    assert is_in(browser) == str(dora.pk)
    assert list(alice.emailaddress_set.values_list("email", "verified")) == [("alice@example.com", True)]
    assert not dora.emailaddress_set.filter(email="alice@example.com", verified=True).exists()
