"""The page Security and what hangs on it: second factors, sessions, tokens, the demand of a factor, the trail."""

import time

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from accounts.encryption import decrypt
from accounts.errors import Refused
from accounts.models import AuditEvent
from accounts.second_factors import reset_second_factors
from tests.factories import PASSWORD, make_api, make_organization, make_staff, make_token, make_user
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db
LOGIN, STEP = "/accounts/login/", "/accounts/2fa/authenticate/"


@pytest.fixture(autouse=True)
def fresh_rate_limits():
    cache.clear()


@pytest.fixture
def alice():
    return make_user("alice", password=PASSWORD)


def browser_of(user, agent="Mozilla/5.0 (X11; Linux) Firefox/140.0") -> Client:
    """Signed in by the form, as somebody who gave her password just now."""
    browser = Client(HTTP_USER_AGENT=agent)
    browser.post(LOGIN, {"login": user.email, "password": PASSWORD})
    browser.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return browser


def code_of(secret: str, *, step: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + step))


def with_app(browser: Client) -> str:
    """Add an authenticator app; returns its secret."""
    browser.get("/accounts/2fa/totp/activate/")
    secret = browser.session["mfa.totp.secret"]
    done = browser.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert done.url == "/accounts/2fa/recovery-codes/"
    return secret


def page(browser: Client) -> str:
    response = browser.get(reverse("security"))
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def actions(user) -> list[str]:
    rows = AuditEvent.objects.filter(target_id=str(user.pk), target_kind="user").order_by("pk")
    return list(rows.values_list("action", flat=True))


@pytest.mark.django_db(transaction=True)
def test_a_code_of_the_app_is_asked_for_at_the_next_sign_in(alice):
    browser = browser_of(alice)
    secret = with_app(browser)
    assert [message.to for message in mail.outbox] == [["alice@example.com"]]
    assert "An authenticator app was added" in mail.outbox[0].body
    other = Client()
    assert other.post(LOGIN, {"login": alice.email, "password": PASSWORD}).url == STEP
    assert other.get(reverse("security")).url.startswith(LOGIN)
    assert "One more step" in other.get(STEP).content.decode()
    assert other.post(STEP, {"code": "000000"}).status_code == 200
    assert "_auth_user_id" not in other.session
    assert other.post(STEP, {"code": code_of(secret, step=1)}).url == "/console/"
    assert other.session["_auth_user_id"] == str(alice.pk)
    assert actions(alice) == ["person.factor_added", "person.factor_added"]
    assert "Added an authenticator app." in page(browser)


def test_a_recovery_code_helps_once(alice):
    browser = browser_of(alice)
    with_app(browser)
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    shown = browser.get("/accounts/2fa/recovery-codes/").content.decode()
    assert all(code in shown for code in codes)
    for expected in (302, 200):
        other = Client()
        other.post(LOGIN, {"login": alice.email, "password": PASSWORD})
        assert other.post(STEP, {"code": codes[0]}).status_code == expected
    assert "9 left" in page(browser)


def test_secrets_are_encrypted_at_rest_and_can_be_encrypted_anew(alice, settings):
    settings.ENCRYPTION_KEYS = ["old " * 10]
    browser = browser_of(alice)
    secret = with_app(browser)
    row = Authenticator.objects.get(type="totp")
    assert secret not in str(Authenticator.objects.values_list("data"))
    assert decrypt(row.data["secret"]) == secret
    settings.ENCRYPTION_KEYS = ["new " * 10, "old " * 10]
    call_command("reencrypt")
    settings.ENCRYPTION_KEYS = ["new " * 10]
    row.refresh_from_db()
    assert decrypt(row.data["secret"]) == secret


def test_the_admin_console_has_no_way_round_the_second_step():
    sam = make_staff("sam", password=PASSWORD)
    with_app(browser_of(sam))
    visitor = Client()
    assert visitor.get("/admin/login/?next=/admin/").url == "/accounts/login/?next=%2Fadmin%2F"
    visitor.post("/admin/login/", {"username": sam.email, "password": PASSWORD})
    assert "_auth_user_id" not in visitor.session


def test_sessions_are_listed_and_can_be_ended_one_by_one_or_all_at_once(alice):
    here = browser_of(alice)
    phone = browser_of(alice, "Mozilla/5.0 (iPhone) CriOS/130 Safari/604")
    tablet = browser_of(alice, "Mozilla/5.0 (iPad) Safari/604")
    shown = page(here)
    for name in ("Firefox on Linux", "Chrome on iPhone", "Safari on iPad"):
        assert name in shown
    row = UserSession.objects.get(user_agent__contains="iPhone")
    here.post(reverse("session-end", args=[row.pk]))
    assert phone.get(reverse("security")).url.startswith(LOGIN)
    assert tablet.get(reverse("security")).status_code == 200
    here.post(reverse("sessions-end"))
    assert tablet.get(reverse("security")).url.startswith(LOGIN)
    assert "Safari on iPad" not in page(here)
    assert actions(alice) == ["person.signed_out"] * 2


def test_nobody_ends_the_session_or_the_token_of_another(alice):
    browser_of(alice)
    make_organization(alice)
    token, _ = make_token(alice.memberships.get().organization)
    charlie = signed_in(make_user("charlie"))
    session = UserSession.objects.get(user=alice)
    assert charlie.post(reverse("session-end", args=[session.pk])).status_code == 404
    assert charlie.post(reverse("security-token-revoke", args=[token.pk])).status_code == 404
    assert UserSession.objects.filter(pk=session.pk).exists()


def test_a_new_password_ends_the_other_sessions(alice):
    here, phone = browser_of(alice), browser_of(alice)
    new = {"oldpassword": PASSWORD, "password1": "another long one", "password2": "another long one"}
    here.post("/accounts/password/change/", new)
    assert UserSession.objects.filter(user=alice).count() == 1
    assert phone.get(reverse("security")).url.startswith(LOGIN)
    assert here.get(reverse("security")).status_code == 200
    assert actions(alice) == ["person.password_set"]


@pytest.mark.parametrize(
    ("groups", "who"),
    [
        (["staff"], "sam"),
        (["providers"], "alice"),
        (["everybody"], "bob"),
        (["staff", "providers"], "sam alice"),
    ],
)
def test_who_must_have_a_second_factor_gets_nowhere_without_one(alice, settings, groups, who):
    make_api(make_organization(alice))
    bob = make_user("bob", password=PASSWORD)
    make_organization(bob)
    people = {"alice": alice, "bob": bob, "sam": make_staff("sam", password=PASSWORD)}
    make_organization(people["sam"])
    settings.GATEHOUSE_REQUIRE_MFA = groups
    met = {}
    for name, user in people.items():
        response = signed_in(user).get("/console/")
        met[name] = response.status_code == 302 and response["Location"] == reverse("security")
    wanted = set(people) if groups == ["everybody"] else set(who.split())
    assert {name for name, sent in met.items() if sent} == wanted


def test_with_the_factor_she_goes_on(alice, settings):
    make_organization(alice)
    settings.GATEHOUSE_REQUIRE_MFA = ["everybody"]
    browser = browser_of(alice)
    assert "asks for a second factor" in page(browser)
    assert browser.get("/admin/").url == reverse("security")
    with_app(browser)
    assert browser.get("/console/").status_code == 200


def test_staff_take_lost_factors_away_and_she_is_told(alice, django_capture_on_commit_callbacks):
    sam = make_staff("sam", password=PASSWORD)
    with_app(browser_of(alice))
    people = reverse("admin:accounts_user_changelist")
    asked = {"action": "reset_second_factors", "_selected_action": [alice.pk]}
    with django_capture_on_commit_callbacks(execute=True):
        signed_in(sam).post(people, asked)
    assert not Authenticator.objects.filter(user=alice).exists()
    assert "The staff of this site took all passkeys" in mail.outbox[-1].body
    assert actions(alice)[-1] == "person.second_factors_reset"
    with pytest.raises(Refused, match="no second factor"):
        reset_second_factors(user=alice, actor=sam)
