"""The settings page of the installation's staff: all that holds, and no secret."""

import re
from pathlib import Path
from smtplib import SMTPRecipientsRefused

import pytest
from django.core import mail
from django.urls import reverse

from tests.factories import make_staff
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db
DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def look() -> str:
    return signed_in(make_staff()).get(reverse("installation-settings")).content.decode()


def test_every_setting_of_the_control_plane_is_there() -> None:
    part = DOCUMENT.read_text().partition("## Control plane")[2].partition("## Gateway node")[0]
    rows = [line.split("|")[1] for line in part.splitlines() if line.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`([A-Z_*]+)`", row)}
    shown = set(re.findall(r"<code>([A-Z_*]+)</code></span>", look()))
    assert len(shown) > 40
    assert shown == documented


def test_it_says_what_holds_and_whether_the_environment_set_it(settings, monkeypatch) -> None:
    settings.INVOICE_DUE_DAYS, settings.DUNNING_SUSPEND_DAYS = 30, -1
    monkeypatch.setenv("GATEHOUSE_INVOICE_DUE_DAYS", "30")
    rows = {row[0]: row[1:] for row in cells(look())}
    assert rows["GATEHOUSE_INVOICE_DUE_DAYS"] == ["30", "set"]
    assert rows["GATEHOUSE_DUNNING_SUSPEND_DAYS"] == ["never", "default"]
    assert rows["GATEHOUSE_KEEP_DAYS"] == ["for ever", "default"]


def test_no_secret_is_shown(settings, monkeypatch) -> None:
    for name in ("GATEHOUSE_METRICS_TOKEN", "GATEHOUSE_STRIPE_SECRET_KEY", "GATEHOUSE_GITHUB_CLIENT_SECRET"):
        monkeypatch.setenv(name, "sesame-" + name)
    settings.STRIPE_WEBHOOK_SECRETS, settings.ENCRYPTION_KEYS = ["whsec_sesame"], ["sesame" * 6] * 2
    settings.EMAIL_URL, settings.EMAIL_HOST = "smtp://me:sesame@mail.example:25", "mail.example"
    settings.CELERY_BROKER_URL = "redis://:sesame@broker.example:6379/0"
    page = look()
    assert "sesame" not in page
    assert settings.SECRET_KEY not in page
    for words in ("mail.example", "broker.example", "2 set"):
        assert words in page


def test_a_test_mail_goes_to_whoever_asks() -> None:
    sam = make_staff("sam")
    answer = signed_in(sam).post(reverse("installation-test-mail"), follow=True).content.decode()
    assert [message.to for message in mail.outbox] == [[sam.email]]
    assert f"Sent to {sam.email}" in answer


def test_what_the_mail_server_says_is_shown(monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise SMTPRecipientsRefused({"sam@example.com": (550, b"no relay")})

    monkeypatch.setattr("portal.views.installation.send_mail", refuse)
    answer = signed_in(make_staff("sam")).post(reverse("installation-test-mail"), follow=True)
    assert "could not be sent" in answer.content.decode()
    assert "no relay" in answer.content.decode()


def cells(page: str) -> list[list[str]]:
    """The rows of all tables: variable, what holds, where from."""
    rows = re.findall(r"<tr>.*?<code>(.*?)</code>.*?</th><td>(.*?)</td><td>(.*?)</td></tr>", page, re.DOTALL)
    return [[name, value, re.sub(r"<[^>]+>", "", origin)] for name, value, origin in rows]
