"""Endpoints of webhooks: what may be a URL, where nothing is ever sent, secrets that are kept encrypted."""

import ipaddress
import socket

import pytest

from accounts.encryption import decrypt
from accounts.errors import Refused
from accounts.webhooks import endpoints
from accounts.webhooks.addresses import NotAllowed, check_url, read, resolve
from accounts.webhooks.catalogue import EVENT_TYPES
from accounts.webhooks.endpoints import (
    change_endpoint,
    create_endpoint,
    delete_endpoint,
    send_test,
)
from accounts.webhooks.models import WebhookEndpoint
from tests.factories import audit_actions

INSIDE = (
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "169.254.169.254",  # noqa: S104
    "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "224.0.0.1",
)  # fmt: skip


def url_of(address):
    return f"https://[{address}]/" if ":" in address else f"https://{address}/"


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_of_the_inside_are_refused(address, settings, monkeypatch):
    settings.WEBHOOK_PRIVATE = False
    with pytest.raises(Refused) as refused:
        check_url(url_of(address))
    assert (refused.value.field, refused.value.code) == ("url", "url_not_allowed")
    # and so is a name that leads there, also beside a good address
    good = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))
    bad = (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [good, bad])
    with pytest.raises(NotAllowed):
        resolve(read("https://hooks.example.com/"))


def test_the_address_that_was_checked_is_the_one_that_is_called(settings, monkeypatch):
    settings.WEBHOOK_PRIVATE = False
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert ipaddress.ip_address(resolve(read("https://hooks.example.com/"))).is_global


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.0", "fe80::1"])  # noqa: S104
def test_some_addresses_are_refused_whatever_the_setting(address, settings):
    settings.WEBHOOK_PRIVATE = True
    with pytest.raises(Refused):
        check_url(url_of(address))


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "ftp://example.com/", "example.com", "https://", "https://u:p@example.com/",
     "https://example.com/a b", "https://example.com:99999/", "https://example.com/\r\nX: y"],
)  # fmt: skip
def test_what_is_no_https_url_is_refused(url, settings):
    settings.WEBHOOK_PRIVATE = False
    with pytest.raises(Refused):
        check_url(url)


@pytest.mark.django_db
def test_a_secret_is_kept_encrypted_and_never_in_the_audit_trail(acme):
    endpoint, secret = create_endpoint(organization=acme, url=" https://example.com/ ", actor=None)
    stored = WebhookEndpoint.objects.values().get()
    assert secret.startswith("whsec_")
    assert secret not in str(stored)
    assert decrypt(stored["sealed_secret"]) == secret
    assert endpoint.url == "https://example.com/"
    assert secret not in str(list(acme.audit_events.values()))


@pytest.mark.django_db
def test_changes_are_in_the_audit_trail(acme):
    endpoint, _ = create_endpoint(organization=acme, url="https://example.com/", actor=None)
    change_endpoint(endpoint=endpoint, actor=None, event_types=["webhook.test"] * 2, description="Ops")
    endpoint.refresh_from_db()
    assert (endpoint.event_types, str(endpoint)) == (["webhook.test"], "Ops")
    change_endpoint(endpoint=endpoint, actor=None, description="Ops")
    delete_endpoint(endpoint=endpoint, actor=None)
    assert audit_actions() == ["webhook.created", "webhook.changed", "webhook.deleted"]


@pytest.mark.django_db
def test_refusals_name_the_field(acme, monkeypatch):
    with pytest.raises(Refused) as refused:
        create_endpoint(organization=acme, url="https://example.com/", event_types=["nope"], actor=None)
    assert refused.value.field == "event_types"
    endpoint, _ = create_endpoint(organization=acme, url="https://example.com/", actor=None)
    change_endpoint(endpoint=endpoint, actor=None, enabled=False)
    endpoint.refresh_from_db()
    with pytest.raises(Refused, match="switched off"):
        send_test(endpoint=endpoint, actor=None)
    monkeypatch.setattr(endpoints, "MOST", 1)
    with pytest.raises(Refused, match="at most 1"):
        create_endpoint(organization=acme, url="https://example.com/", actor=None)


def test_every_event_has_an_example():
    for each in EVENT_TYPES.values():
        assert each.example
        assert each.meaning.endswith(".")
