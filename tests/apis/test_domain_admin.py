"""Domains in the admin console."""

import pytest

from accounts.encryption import decrypt
from apis.models import DomainName
from tests.factories import make_organization, make_staff
from tests.gateway.certificates import leaf

pytestmark = pytest.mark.django_db
PAGE = "/admin/apis/domainname/"
HOST = "api.example.com"


@pytest.fixture
def signed_in(client):
    client.force_login(make_staff())
    return client


def add(client, made, **more):
    data = {"organization": make_organization().pk, "host": HOST, "certificate": made.pem,
            "private_key": made.private_key, "client_ca": "", **more}  # fmt: skip
    return client.post(f"{PAGE}add/", data)


def test_a_domain_is_added_and_its_key_is_never_shown(signed_in):
    made = leaf(HOST)
    assert add(signed_in, made).status_code == 302
    domain = DomainName.objects.get()
    for path in (PAGE, f"{PAGE}{domain.pk}/change/"):
        page = signed_in.get(path).content.decode()
        assert HOST in page
        assert "BEGIN PRIVATE" not in page
        assert domain.sealed_key[:30] not in page


def test_a_key_that_does_not_fit_comes_back_as_an_error_without_the_key(signed_in):
    answer = add(signed_in, leaf(HOST), private_key=leaf("x").private_key)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "does not belong to the first certificate" in page
    assert "BEGIN PRIVATE" not in page
    assert not DomainName.objects.exists()


def test_a_new_certificate_may_come_with_or_without_a_key(signed_in):
    made, fresh = leaf(HOST), leaf(HOST)
    add(signed_in, made)
    domain = DomainName.objects.get()
    path = f"{PAGE}{domain.pk}/change/"
    given = {"certificate": fresh.pem, "private_key": "", "client_ca": ""}
    assert "does not belong" in signed_in.post(path, given).content.decode()
    assert signed_in.post(path, given | {"private_key": fresh.private_key}).status_code == 302
    domain.refresh_from_db()
    assert domain.certificate == fresh.pem
    assert decrypt(domain.sealed_key) == fresh.private_key
    assert signed_in.post(path, given).status_code == 302
    assert decrypt(DomainName.objects.get().sealed_key) == fresh.private_key


def test_a_domain_is_deleted(signed_in):
    add(signed_in, leaf(HOST))
    domain = DomainName.objects.get()
    assert signed_in.post(f"{PAGE}{domain.pk}/delete/", {"post": "yes"}).status_code == 302
    assert not DomainName.objects.exists()
