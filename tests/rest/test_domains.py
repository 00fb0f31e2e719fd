"""`domain-names`: certificates by REST; a private key goes in and never comes out."""

import pytest

from apis.models import DomainName
from tests.factories import make_api, make_backend, make_stage, make_version
from tests.gateway.certificates import authority, leaf
from tests.rest.problems import fault

pytestmark = pytest.mark.django_db
HOST = "api.example.com"


def body(made, **more):
    return {"host": HOST, "certificate": made.pem, "private_key": made.private_key, **more}


def test_a_domain_is_made_changed_and_deleted(alice):
    first, second, trust = leaf(HOST), leaf(HOST), authority()
    response = alice.post("domain-names", body(first))
    assert response.status_code == 201, response.content
    found = response.json()
    assert (found["host"], found["certificate"], found["mutual_tls"]) == (HOST, first.pem, False)
    changed = alice.patch(
        f"domain-names/{found['id']}",
        {"certificate": second.pem, "private_key": second.private_key, "client_ca": trust.pem},
    )
    assert changed.json()["mutual_tls"] is True
    assert changed.json()["fingerprint"] != found["fingerprint"]
    for answer in (response, changed, alice.get("domain-names"), alice.get("audit-events")):
        assert b"PRIVATE" not in answer.content
        assert b"sealed" not in answer.content
    assert alice.delete(f"domain-names/{found['id']}").status_code == 204
    assert not DomainName.objects.exists()


def test_what_is_wrong_is_named_by_field(alice, charlie):
    made = leaf(HOST)
    fault(alice.post("domain-names", {}), "private_key", "required")
    fault(alice.post("domain-names", body(made, certificate="x")), "certificate")
    fault(alice.post("domain-names", body(made, private_key=leaf("x").private_key)), "private_key")
    fault(alice.post("domain-names", body(made, host="other.example.com")), "certificate")
    alice.made("domain-names", body(made))
    fault(charlie.post("domain-names", body(made)), "host", "taken")


def test_a_key_that_is_refused_is_not_sent_back(alice):
    made = leaf(HOST)
    answer = alice.post("domain-names", body(made, certificate=leaf(HOST).pem))
    fault(answer, "private_key")
    assert b"BEGIN PRIVATE" not in answer.content


def test_a_backends_client_certificate_is_told_and_its_key_is_not(alice):
    backend = make_backend(alice.organization, url="https://api.example.com")
    path = f"backends/{backend.pk}"
    answer = alice.post(f"{path}/generate-client-certificate")
    assert answer.status_code == 200, answer.content
    assert answer.json()["client_certificate"].startswith("-----BEGIN CERTIFICATE-----")
    made = leaf(subject="gatehouse")
    body = {"certificate": made.pem, "private_key": made.private_key}
    assert alice.done(f"{path}/set-client-certificate", body)["client_certificate"] == made.pem
    fault(alice.post(f"{path}/set-client-certificate", body | {"private_key": "x"}), "private_key")
    for each in (answer, alice.get(path), alice.get("backends")):
        assert b"PRIVATE" not in each.content
        assert b"sealed" not in each.content
    assert alice.done(f"{path}/remove-client-certificate")["client_certificate"] == ""


def test_a_version_switches_its_canonical_address_off(alice):
    stage = make_stage(make_version(make_api(alice.organization)))
    path = f"stages/{stage.pk}"
    assert ".execute-api." in alice.get(path).json()["canonical_address"]
    changed = alice.patch(f"versions/{stage.version_id}", {"disable_execute_api_endpoint": True})
    assert changed.json()["disable_execute_api_endpoint"] is True
    assert alice.get(path).json()["canonical_address"] == ""
