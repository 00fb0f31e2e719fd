"""Trying an operation: what reaches the gateway, what the reader sees, and what cannot be made of it."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils.timezone import now

from access.models import ApiKey
from portal import relay
from portal.views import try_it
from tests.factories import make_key, make_member, make_user
from tests.portal.factories import signed_in
from tests.portal.reference_world import Node, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def node(settings: Any) -> Iterator[Node]:
    made = Node()
    settings.NODE_URL = made.url
    settings.GATEWAY_URL = "https://gate.example.com"
    cache.clear()
    yield made
    made.stop()


def tried(world: World, operation: str = "get-orders-id", **given: Any) -> str:
    return signed_in(world.bob).post(reverse("try-it", args=world.place(operation)), given).content.decode()


def test_the_call_reaches_the_gateway_as_it_was_filled_in(node: Node) -> None:
    world = make_world()
    page = tried(world, c0=" gh_test_abc ", p0="a/b?é", p1="true", p2="x\r\nHost: evil")
    assert len(node.seen) == 1
    call = node.seen[0]
    assert (call["method"], call["target"]) == ("GET", "/orders/v1/orders/a%2Fb%3F%C3%A9?full=true")
    assert call["headers"]["host"] == "gate.example.com"
    assert call["headers"]["x-api-key"] == "gh_test_abc"
    assert call["headers"]["x-trace"] == "x Host: evil"
    assert call["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert "200</span>" in page
    assert "&quot;é&quot;" in page
    assert "req-1" in page
    assert "a%2Fb%3F%C3%A9" in page  # the samples follow


def test_a_fragment_holds_what_changes_and_a_status_to_be_read_aloud(node: Node) -> None:
    world = make_world()
    node.status, node.body = 403, b'{"message":"Forbidden"}'
    page = tried(world, c0="gh_test_abc", p0="1", fragment="1")
    assert "<html" not in page
    assert "Answered 403 Forbidden in" in page
    wrong = tried(world, c0="", p0="1", fragment="1")
    assert 'aria-invalid="true"' in wrong
    assert "Nothing was sent" in wrong
    assert len(node.seen) == 1


def test_bodies_and_files_are_sent_as_the_operation_wants_them(node: Node) -> None:
    world = make_world()
    tried(world, "put-orders-id", c0="k", p0="1", body='{"item":\r\n"é"}')
    assert node.seen[0]["headers"]["content-type"] == "application/json"
    assert node.seen[0]["body"] == '{"item":\n"é"}'.encode()
    tried(world, "post-upload", c0="k", f0="hello", f1=SimpleUploadedFile("a.txt", b"content"))
    body = node.seen[1]["body"]
    assert b'name="note"\r\n\r\nhello\r\n' in body
    assert b'filename="a.txt"' in body
    assert b"content" in body


@pytest.mark.parametrize("value", ["..", "a/../b", "%2e%2e", "..\\x", "."])
def test_a_path_variable_cannot_climb_out_of_the_stage(node: Node, value: str) -> None:
    world = make_world()
    assert "cannot be . or .." in tried(world, c0="k", p0=value)
    assert node.seen == []


def test_headers_of_the_connection_cannot_be_set(node: Node) -> None:
    """A document that describes them leads nowhere else, and speaks for nobody else."""
    names = ["Host", "X-Forwarded-For", "Content-Length", "Connection"]
    parameters = [{"name": name, "in": "header", "schema": {"type": "string"}} for name in names]
    world = make_world(document={"openapi": "3.0.3", "paths": {"/a": {"get": {"parameters": parameters}}}})
    tried(world, "get-a", c0="k", p0="evil.example.com", p1="10.0.0.1", p2="7", p3="upgrade")
    headers = node.seen[0]["headers"]
    assert headers["host"] == "gate.example.com"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert {"content-length", "connection"}.isdisjoint(headers)


def test_an_api_for_certain_addresses_is_not_called_from_ours(node: Node) -> None:
    world = make_world()
    world.stage.policy = {"ip": {"allow": ["127.0.0.1/32"], "deny": []}}
    world.stage.save()
    assert "lets in certain addresses only" in tried(world, c0="k", p0="1")
    assert node.seen == []


def test_a_long_answer_is_cut_and_a_binary_one_is_not_shown(node: Node) -> None:
    world = make_world()
    node.body = b"x" * (relay.LARGEST_ANSWER + 1)
    node.headers["Content-Type"] = "text/plain"
    assert "Only the first 256.0 KiB are shown" in tried(world, "get-health")
    node.body, node.headers["Content-Type"] = b"\x89PNG\0", "image/png"
    assert "cannot be shown as text" in tried(world, "get-health")


def test_a_gateway_that_is_away_is_said_in_words(node: Node) -> None:
    world = make_world()
    node.stop()
    assert "The gateway cannot be reached" in tried(world, "get-health")


def test_tries_are_counted(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world()
    monkeypatch.setattr(try_it, "TRIES_A_MINUTE", 1)
    monkeypatch.setattr(try_it.time, "time", lambda: 1e9)
    assert "req-1" in tried(world, "get-health")
    assert "within a minute" in tried(world, "get-health")
    assert len(node.seen) == 1


def test_only_who_is_signed_in_may_try(node: Node) -> None:
    world = make_world()
    response = signed_in(None).post(reverse("try-it", args=world.place("get-health")))
    assert response["Location"].startswith(reverse("account_login"))
    world.stage.version.api.visibility = "private"
    world.stage.version.api.save()
    response = signed_in(world.bob).post(reverse("try-it", args=world.place("get-health")))
    assert response.status_code == 404
    assert node.seen == []


def test_one_click_makes_a_key_for_a_day_and_shows_it_once() -> None:
    world = make_world()
    browser = signed_in(world.bob)
    response = browser.post(reverse("try-key", args=world.place()))
    key = ApiKey.objects.get()
    assert (key.application.name, key.environment) == ("Shop", "test")
    assert key.expires_at
    assert 23.9 < (key.expires_at - now()).total_seconds() / 3_600 <= 24
    page = browser.get(response["Location"]).content.decode()
    assert f'data-kept="{key.prefix}' in page
    again = browser.get(response["Location"]).content.decode()
    assert "data-kept" not in again
    assert f"<code>{key.prefix}…</code>" in again


def test_a_key_is_made_by_those_only_who_may_and_have_a_subscription() -> None:
    world = make_world(state="pending")
    browser = signed_in(world.bob)
    place = reverse("reference-operation", args=world.place())
    assert "waits for the provider" in browser.get(place).content.decode()
    browser.post(reverse("try-key", args=world.place()))
    assert not ApiKey.objects.exists()
    billing = make_user("billing")
    make_member(world.organization, billing, "billing")
    assert signed_in(billing).post(reverse("try-key", args=world.place())).status_code == 403


def test_a_reader_sees_the_names_of_her_own_keys_that_open_it() -> None:
    world = make_world()
    mine, _ = make_key(world.organization.applications.get(), name="Mine")
    make_key(name="Somebody else's")
    page = signed_in(world.bob).get(reverse("reference-operation", args=world.place())).content.decode()
    assert f"<code>{mine.prefix}…</code> Mine" in page
    assert "Somebody else" not in page
