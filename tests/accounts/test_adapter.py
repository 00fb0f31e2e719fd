"""Signing up, verifying the address and signing in, as a browser does it."""

import re
from smtplib import SMTPServerDisconnected

import pytest
from django.contrib.messages import get_messages
from django.core import mail
from django.core.cache import cache
from django.core.mail.backends.locmem import EmailBackend

from accounts.models import Organization, User
from tests.factories import PASSWORD, make_plan, make_user

pytestmark = pytest.mark.django_db
SIGN_UP = {"email": "alice.smith@example.com", "password1": PASSWORD}


@pytest.fixture(autouse=True)
def fresh_rate_limits():
    cache.clear()


@pytest.fixture
def commit(django_capture_on_commit_callbacks):
    """Run what waits for the end of the transaction, as a real request does."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


class BrokenBackend(EmailBackend):
    def send_messages(self, messages):
        raise SMTPServerDisconnected("Connection unexpectedly closed")


CONFIRM = "/accounts/confirm-email/"


def code_in(message):
    return re.search(r"^\d{6}$", message.body, re.MULTILINE).group()


def shown(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def test_signing_up_makes_a_person_who_owns_an_organization(client, commit):
    with commit():
        response = client.post("/accounts/signup/", SIGN_UP)
    assert (response.status_code, response.url) == (302, "/accounts/confirm-email/")
    alice = User.objects.get()
    assert alice.check_password(PASSWORD)
    organization = Organization.objects.get()
    assert (organization.name, organization.slug) == ("Alice Smith", "alice-smith")
    assert list(organization.members.values_list("user", "role")) == [(alice.pk, "owner")]
    assert [message.to for message in mail.outbox] == [["alice.smith@example.com"]]


def test_she_is_not_signed_in_before_her_address_is_verified(client, commit):
    with commit():
        client.post("/accounts/signup/", SIGN_UP)
    assert "_auth_user_id" not in client.session
    with commit():
        response = client.post("/accounts/login/", {"login": SIGN_UP["email"], "password": PASSWORD})
    assert response.url == "/accounts/confirm-email/"
    assert "_auth_user_id" not in client.session


def test_the_code_verifies_signs_in_and_goes_on_where_she_was(client, commit):
    with commit():
        client.post("/accounts/signup/?next=/apis/httpbin/", SIGN_UP | {"next": "/apis/httpbin/"})
    assert "alice.smith@example.com" in client.get(CONFIRM).content.decode()
    with commit():
        response = client.post(CONFIRM, {"code": code_in(mail.outbox[0])})
    assert response.url == "/apis/httpbin/"
    assert client.session["_auth_user_id"] == str(User.objects.get().pk)
    assert User.objects.get().emailaddress_set.get().verified


def test_the_plan_she_wanted_is_not_forgotten(client, commit):
    plan = make_plan()
    session = client.session
    session["wanted_plan"] = plan.pk
    session.save()
    with commit():
        client.post("/accounts/signup/", SIGN_UP)
    with commit():
        response = client.post(CONFIRM, {"code": code_in(mail.outbox[0])})
    assert response.url == f"/subscribe/{plan.pk}/"
    assert client.session["wanted_plan"] == plan.pk


def test_a_code_is_of_use_only_where_it_was_asked_for(client, commit):
    with commit():
        client.post("/accounts/signup/", SIGN_UP)
    client.cookies.clear()
    assert client.post(CONFIRM, {"code": code_in(mail.outbox[0])}).url == "/accounts/login/"
    assert "_auth_user_id" not in client.session
    assert not User.objects.get().emailaddress_set.get().verified


def test_guessing_the_code_ends_after_three_times(client, commit):
    with commit():
        client.post("/accounts/signup/", SIGN_UP)
    code = code_in(mail.outbox[0])
    for _ in range(3):
        client.post(CONFIRM, {"code": "999999" if code != "999999" else "000000"})
    client.post(CONFIRM, {"code": code})
    assert "_auth_user_id" not in client.session
    assert not User.objects.get().emailaddress_set.get().verified


def test_a_mail_server_that_is_away_does_not_lose_the_sign_up(client, commit, settings):
    settings.EMAIL_BACKEND = f"{__name__}.BrokenBackend"
    response = client.post("/accounts/signup/", SIGN_UP)
    assert response.status_code == 302
    assert User.objects.count() == Organization.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_signs_up_while_the_mail_server_is_away_is_told_so(client, settings):
    settings.EMAIL_BACKEND = f"{__name__}.BrokenBackend"
    response = client.post("/accounts/signup/", SIGN_UP)
    [message] = shown(response)
    assert "could not be sent" in message
    assert "Sign in again" in message
    assert User.objects.count() == 1


def test_signing_in_later_sends_the_message_again(client, commit):
    alice = make_user("alice", password=PASSWORD)
    alice.emailaddress_set.update(verified=False)
    with commit():
        client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]


def test_nobody_learns_whether_an_address_has_an_account(client, commit):
    make_user("alice")
    with commit():
        response = client.post("/accounts/signup/", SIGN_UP | {"email": "alice@example.com"})
    assert (response.status_code, response.url) == (302, "/accounts/confirm-email/")
    assert User.objects.count() == 1
    assert Organization.objects.count() == 0


def test_sign_up_can_be_closed(client, settings):
    settings.GATEHOUSE_SIGNUP_OPEN = False
    client.post("/accounts/signup/", SIGN_UP)
    assert User.objects.count() == 0


def test_a_weak_password_is_refused(client):
    response = client.post("/accounts/signup/", SIGN_UP | {"password1": "12345678"})
    assert response.status_code == 200
    assert "password1" in response.context["form"].errors
    assert User.objects.count() == 0


def test_guessing_passwords_is_slowed_down(client):
    make_user("alice", password=PASSWORD)
    for _ in range(5):
        client.post("/accounts/login/", {"login": "alice@example.com", "password": "wrong"})
    response = client.post("/accounts/login/", {"login": "alice@example.com", "password": PASSWORD})
    assert response.status_code == 200
    assert "_auth_user_id" not in client.session
