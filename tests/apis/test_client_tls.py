"""Client certificates of backends: set, generated, removed; keys encrypted and never shown."""

import json

import pytest
from cryptography import x509

from accounts.encryption import decrypt
from accounts.errors import Refused
from accounts.models import AuditEvent
from apis.certificates import read_pair
from apis.client_tls import generate_client_certificate, remove_client_certificate, set_client_certificate
from apis.models import Backend
from apis.signals import backends_changed
from tests.factories import make_backend, make_staff
from tests.gateway.certificates import leaf

pytestmark = pytest.mark.django_db


@pytest.fixture
def backend():
    return make_backend(url="https://api.example.com")


@pytest.fixture
def heard():
    found = []
    backends_changed.connect(lambda backend_ids, **_: found.extend(backend_ids), weak=False, dispatch_uid="t")
    yield found
    backends_changed.disconnect(dispatch_uid="t")


def test_a_certificate_is_set_and_removed(backend, heard):
    made = leaf(subject="gatehouse")
    set_client_certificate(backend=backend, certificate=made.pem, private_key=made.private_key, actor=None)
    row = Backend.objects.get()
    assert row.client_certificate == made.pem
    assert decrypt(row.sealed_client_key) == made.private_key
    remove_client_certificate(backend=backend, actor=None)
    remove_client_certificate(backend=backend, actor=None)
    row.refresh_from_db()
    assert (row.client_certificate, row.sealed_client_key) == ("", "")
    assert heard == [backend.pk] * 2
    events = AuditEvent.objects.filter(action__startswith="client_certificate.")
    assert sorted(event.action for event in events) == [
        "client_certificate.removed",
        "client_certificate.set",
    ]
    assert "PRIVATE" not in json.dumps([[event.summary, event.changes] for event in events])


def test_one_is_made_for_a_year_with_its_own_key(backend, heard):
    made = generate_client_certificate(backend=backend, actor=None)
    key = decrypt(made.sealed_client_key)
    assert read_pair(made.client_certificate, key).certificate == made.client_certificate
    certificate = x509.load_pem_x509_certificate(made.client_certificate.encode())
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 365
    assert certificate.subject.rfc4514_string() == f"CN=gatehouse {backend.pk}"
    again = generate_client_certificate(backend=backend, actor=None)
    assert decrypt(again.sealed_client_key) != key
    assert heard == [backend.pk] * 2


@pytest.mark.parametrize(
    ("field", "more"),
    [("certificate", {"certificate": "x"}), ("private_key", {"private_key": leaf("x").private_key})],
)
def test_what_does_not_fit_is_refused(backend, heard, field, more):
    made = leaf(subject="gatehouse")
    given = {"certificate": made.pem, "private_key": made.private_key, **more}
    with pytest.raises(Refused) as caught:
        set_client_certificate(backend=backend, actor=None, **given)
    assert caught.value.field == field
    assert heard == []


def test_a_plain_http_backend_cannot_ask():
    with pytest.raises(Refused, match="https"):
        generate_client_certificate(backend=make_backend(url="http://api.example.com"), actor=None)


def test_in_the_console_it_is_set_generated_and_removed(backend, client):
    client.force_login(make_staff())
    page = f"/admin/apis/backend/{backend.pk}/"
    made = leaf(subject="gatehouse")
    form = {"certificate": made.pem, "private_key": leaf("x").private_key}
    refused = client.post(f"{page}client-certificate/", form)
    assert "does not belong" in refused.content.decode()
    assert "BEGIN PRIVATE" not in refused.content.decode()
    assert (
        client.post(f"{page}client-certificate/", form | {"private_key": made.private_key}).status_code == 302
    )
    shown = client.get(f"{page}change/").content.decode()
    assert "Valid until" in shown
    assert "BEGIN PRIVATE" not in shown
    assert "Generate" in client.get(f"{page}generate-client-certificate/").content.decode()
    assert client.post(f"{page}generate-client-certificate/").status_code == 302
    assert Backend.objects.get().client_certificate not in ("", made.pem)
    assert client.post(f"{page}remove-client-certificate/").status_code == 302
    assert Backend.objects.get().client_certificate == ""
