"""Owners say what invoices print of them."""

import base64

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from billing.models import BillingProfile
from tests.billing.documents.factories import picture
from tests.factories import make_organization, make_user
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return make_organization(make_user("alice"))


def save(organization, **fields):
    client = signed_in(organization.members.get().user)
    return client.post(reverse("billing-profile"), fields, follow=True).content.decode()


def test_a_profile_is_saved_and_shown_again(alice):
    page = save(
        alice,
        legal_name="Acme GmbH",
        address="Weg 1\r\n10115 Berlin",
        country="DE",
        tax_ids="VAT ID: DE123\n\nTax number: 27/5",
        payment_instructions="IBAN 1",
    )
    assert "Saved." in page
    profile = BillingProfile.objects.get(organization=alice)
    assert (profile.legal_name, profile.address, profile.country) == (
        "Acme GmbH",
        "Weg 1\n10115 Berlin",
        "DE",
    )
    assert profile.tax_ids == [{"kind": "VAT ID", "value": "DE123"}, {"kind": "Tax number", "value": "27/5"}]
    assert "VAT ID: DE123\nTax number: 27/5" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"country": "XX"}, "Select a valid choice"),
        ({"tax_ids": "DE123"}, "Write the kind of the tax id before it"),
        ({"tax_ids": "a:b\n" * 6}, "at most 5 tax ids"),
    ],
)
def test_what_is_wrong_is_said_at_its_field(alice, fields, words):
    assert words in save(alice, **fields)


def test_a_logo_is_uploaded_kept_and_removed(alice):
    body = base64.b64decode(picture().partition(",")[2])
    save(alice, logo=SimpleUploadedFile("logo.png", body))
    assert BillingProfile.objects.get().logo == picture()
    assert "The present logo" in save(alice, legal_name="Acme")
    assert BillingProfile.objects.get().logo == picture()
    save(alice, no_logo="on")
    assert BillingProfile.objects.get().logo == ""
    assert "PNG or JPEG" in save(alice, logo=SimpleUploadedFile("logo.png", b"<svg/>"))
