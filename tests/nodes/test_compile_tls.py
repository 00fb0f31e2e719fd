"""Certificates as entries: keys encrypted in every table, open only in the answer to a node."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.encryption import encrypt
from apis.domains import change_domain, create_domain, delete_domain
from apis.models import Backend
from nodes import entries
from nodes.compile import everything
from nodes.compile_tls import opened, without_secrets
from nodes.models import Entry
from nodes.rebuild import rebuild
from tests.factories import make_backend, make_organization, make_staff
from tests.gateway.certificates import leaf
from tests.nodes.factories import make_node, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.nodes.urls")]
HOST = "api.example.com"


@pytest.fixture
def made() -> Any:
    return leaf(HOST)


@pytest.fixture
def domain(made: Any) -> Any:
    return create_domain(
        organization=make_organization(),
        host=HOST,
        certificate=made.pem,
        private_key=made.private_key,
        actor=None,
    )


def sent(client: Client, kind: str) -> dict[str, Any]:
    """What a node gets of a kind: key -> data."""
    answer = client.get("/nodes/v1/entries", headers=signed_in(make_node()[1])).json()
    return {entry["key"]: entry["data"] for entry in answer["entries"] if entry["kind"] == kind}


def test_a_node_gets_the_key_open_and_the_tables_keep_it_encrypted(
    client: Client, domain: Any, made: Any
) -> None:
    assert sent(client, "certificate") == {HOST: {"certificate": made.pem, "private_key": made.private_key}}
    kept = json.dumps(list(Entry.objects.values_list("data", flat=True)))
    assert "PRIVATE KEY" not in kept


def test_a_change_is_one_entry_and_a_rebuild_finds_nothing_to_do(domain: Any, made: Any) -> None:
    before = entries.newest_generation()
    fresh = leaf(HOST)
    change_domain(domain=domain, certificate=fresh.pem, private_key=fresh.private_key, actor=None)
    rows = Entry.objects.filter(generation__gt=before)
    assert [(row.kind, row.key) for row in rows] == [("certificate", HOST)]
    assert rebuild() == 0
    delete_domain(domain=domain, actor=None)
    assert Entry.objects.get(kind="certificate").data is None
    assert rebuild() == 0


def test_a_backend_brings_its_client_certificate(client: Client) -> None:
    made = leaf(subject="gatehouse")
    plain, mutual = make_backend(), make_backend()
    Backend.objects.filter(pk=mutual.pk).update(
        client_certificate=made.pem, sealed_client_key=encrypt(made.private_key)
    )
    entries.write_many(changes=everything())
    told = sent(client, "backend")
    assert told[plain.pk].get("tls") is None
    assert told[mutual.pk]["tls"]["certificate"] == made.pem
    assert told[mutual.pk]["tls"]["private_key"] == made.private_key


def test_a_key_that_cannot_be_decrypted_is_left_out_and_the_rest_goes_on(
    client: Client, domain: Any, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.ENCRYPTION_KEYS = ["another key " * 5]
    assert sent(client, "certificate")[HOST]["private_key"] == ""
    assert f"certificate {HOST}" in caplog.text


def test_what_has_no_secret_stays_as_it_is() -> None:
    assert opened("certificate", HOST, None) is None
    assert opened("backend", "b", {"target": {}, "tls": None}) == {"target": {}, "tls": None}
    assert opened("plan", "p", {"stages": []}) == {"stages": []}


def test_people_never_see_a_key() -> None:
    assert without_secrets({"certificate": "C", "private_key": "K"}) == {
        "certificate": "C", "private_key": "hidden"
    }  # fmt: skip
    assert (
        without_secrets({"tls": {"certificate": "C", "private_key": "K"}})["tls"]["private_key"] == "hidden"
    )
    assert without_secrets({"tls": None, "stages": []}) == {"tls": None, "stages": []}


@pytest.mark.urls("portal.urls")
def test_the_admins_page_of_an_entry_hides_it(client: Client, domain: Any) -> None:
    client.force_login(make_staff())
    row = Entry.objects.get(kind="certificate")
    page = client.get(f"/admin/nodes/entry/{row.pk}/change/").content.decode()
    assert "hidden" in page
    assert domain.sealed_key[:20] not in page
