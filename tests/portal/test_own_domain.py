"""The website at a domain of its own, set by staff while it runs."""

import pytest
from django.core import mail
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from accounts import portal_address
from accounts.branding.change import change_branding
from accounts.errors import Refused
from accounts.portal_address import check_address, is_own_host, portal_url
from apis.invitations import invite
from portal import middleware
from tests.factories import PASSWORD, make_api, make_staff, make_user
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db
HOST = "developers.example.com"


def test_it_answers_there_from_then_on_and_at_the_old_address_still():
    browser = Client()
    assert browser.get("/", headers={"host": HOST}).status_code == 400
    change_branding(actor=None, address=f"https://{HOST}/")
    page = browser.get("/", headers={"host": HOST})
    assert page.status_code == 200
    assert f'<link rel="canonical" href="https://{HOST}/">' in page.content.decode()
    assert browser.get("/").status_code == 200
    for other in (f"evil.{HOST}", f"{HOST}.evil.com", f"{HOST}:8443", "example.com", f"{HOST}@evil.com"):
        assert browser.get("/", headers={"host": other}).status_code == 400
    change_branding(actor=None, address="")
    assert browser.get("/", headers={"host": HOST}).status_code == 400


def test_forms_are_taken_from_there_and_from_nowhere_else():
    change_branding(actor=None, address=f"http://{HOST}")
    make_user("alice", password=PASSWORD)
    browser = Client(enforce_csrf_checks=True, headers={"host": HOST})
    login = reverse("account_login")
    browser.get(login)
    given = {"login": "alice@example.com", "password": PASSWORD}
    given["csrfmiddlewaretoken"] = browser.cookies["gatehouse_csrf"].value
    assert browser.post(login, given, headers={"origin": "http://evil.com"}).status_code == 403
    assert browser.post(login, given, headers={"origin": f"http://{HOST}"}).status_code == 302


def test_links_in_mails_name_it(django_capture_on_commit_callbacks):
    assert portal_url() == "http://localhost:8000"
    change_branding(actor=None, address=f"https://{HOST}")
    with django_capture_on_commit_callbacks(execute=True):
        invite(api=make_api(slug="maps"), email="ada@example.com", actor=None)
    assert f"https://{HOST}/apis/maps/" in mail.outbox[0].body


def test_only_an_origin_is_an_address(settings):
    assert check_address(" HTTPS://Dev.Example.com:8443/ ") == "https://dev.example.com:8443"
    for text in (
        "dev.example.com",
        "https://",
        "https://a/b",
        "ftp://a",
        "https://u:p@a",
        "https://*.a",
        "https://a:x",
    ):
        with pytest.raises(Refused) as refused:
            check_address(text)
        assert refused.value.field == "address"
    settings.PORTAL_URL = "https://portal.example.com"
    with pytest.raises(Refused):
        check_address("http://dev.example.com")


def test_standard_ports_are_the_same_host():
    change_branding(actor=None, address=f"https://{HOST}:443")
    assert is_own_host(HOST)
    assert is_own_host(f"{HOST.upper()}:443")
    assert not is_own_host("")


def test_hosts_that_are_allowed_need_no_database(monkeypatch):
    def away(raw):
        raise DatabaseError

    monkeypatch.setattr(middleware, "is_own_host", away)
    assert Client().get("/robots.txt").status_code == 200
    assert Client().get("/robots.txt", headers={"host": HOST}).status_code == 400


def test_staff_set_it_in_the_admin_console_and_see_why_not():
    change_branding(actor=None, name="Acme")
    sam = signed_in(make_staff("sam"))
    place = reverse("admin:accounts_branding_change", args=[1])
    page = sam.post(place, {"name": "Acme", "address": "developers"}).content.decode()
    assert "Write scheme and host alone" in page
    assert sam.post(place, {"name": "Acme", "address": f"https://{HOST}"}).status_code == 302
    assert portal_address.portal_url() == f"https://{HOST}"
