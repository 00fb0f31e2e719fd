"""The reference's pages and downloads."""

import json

import pytest
from django.urls import reverse

from accounts.errors import Refused
from apis.openapi import parse
from portal.views import clients
from tests.portal.factories import signed_in
from tests.portal.reference_world import DOCUMENT, World, make_world

pytestmark = pytest.mark.django_db


def page_of(world: World, operation: str = "get-orders-id") -> str:
    place = reverse("reference-operation", args=world.place(operation))
    return signed_in(None).get(place).content.decode()


def test_the_list_names_every_operation_and_finds_by_words() -> None:
    world = make_world()
    place = reverse("reference", args=world.place()[:2])
    every = signed_in(None).get(place).content.decode()
    for slug in ("get-orders-id", "put-orders-id", "post-upload", "get-health"):
        assert reverse("reference-operation", args=world.place(slug)) in every
    assert "<strong>orders</strong>" in every
    few = signed_in(None).get(place, {"q": "get order"}).content.decode()
    assert "get-orders-id" in few
    assert "get-health" not in few
    assert "No operation matches" in signed_in(None).get(place, {"q": "nothing"}).content.decode()


def test_an_operations_page_says_how_to_call_it() -> None:
    world = make_world()
    page = page_of(world)
    assert "<h1>One order</h1>" in page
    assert "in the header <code>x-api-key</code>" in page
    assert "It is here." in page
    address = "/orders/v1/orders/a%20b"
    assert page.count(address) == 4
    for start in ("curl ", "import requests", "async function main()", "package main"):
        assert start in page
    assert "Everybody: it needs no key." in page_of(world, "get-health")
    assert "&quot;item&quot;: &quot;tea&quot;" in page_of(world, "put-orders-id")


def test_an_unknown_operation_is_not_found() -> None:
    world = make_world()
    place = reverse("reference-operation", args=world.place("get-nothing"))
    assert signed_in(None).get(place).status_code == 404


def test_the_document_can_be_taken_along_in_both_languages() -> None:
    world = make_world()
    read = {}
    for name in ("openapi-document", "openapi-yaml"):
        response = signed_in(None).get(reverse(name, args=world.place()[:2]))
        read[name] = parse(response.content).data
    assert read["openapi-document"] == read["openapi-yaml"]
    assert read["openapi-document"]["paths"].keys() == DOCUMENT["paths"].keys()  # type: ignore[attr-defined]
    assert read["openapi-document"]["servers"][0]["url"].endswith("/orders/v1")
    assert "x-api-key" in json.dumps(read["openapi-document"]["components"])


def test_a_client_is_made_once_and_a_document_it_cannot_be_made_of_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []

    def make(data: object, *, name: str, **_: object) -> bytes:
        made.append(name)
        if name == "broken-v1":
            raise Refused("It cannot be read.")
        return b"zip"

    monkeypatch.setattr(clients, "make_python_client", make)
    world = make_world()
    place = reverse("client-python", args=world.place()[:2])
    response = signed_in(None).get(place)
    assert (response.content, response["Content-Type"]) == (b"zip", "application/zip")
    assert response["Content-Disposition"] == 'attachment; filename="orders-v1-python.zip"'
    signed_in(None).get(place)
    assert made == ["orders-v1"]
    world.stage.version.api.slug = "broken"
    world.stage.version.api.save()
    page = signed_in(None).get(reverse("client-python", args=["broken", "v1"]), follow=True)
    assert "It cannot be read." in page.content.decode()
