"""An invoice's page, and what can be downloaded from it."""

import pytest
from django.urls import reverse

from billing.credit_notes import credit_invoice
from tests.billing.documents.factories import make_bill
from tests.factories import make_api, make_organization, make_user
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice():
    made = make_bill()
    make_api(made.organization)  # only who publishes has a provider's dashboard
    return made


def owner(organization):
    return signed_in(organization.members.get().user)


def test_both_sides_see_the_same_document(invoice):
    pages = [
        owner(invoice.customer).get(reverse("invoice", args=[invoice.pk])),
        owner(invoice.organization).get(reverse("provider-invoice", args=[invoice.pk])),
    ]
    for page in (each.content.decode() for each in pages):
        for words in (
            "Bob &amp; Söhne &lt;KG&gt;",
            "VAT ID: DE123456789",
            "224.22",
            "1,404.32 USD",
            "IBAN DE00",
        ):
            assert words in page, words


@pytest.mark.parametrize(
    ("kind", "name", "media_type", "head"),
    [
        ("pdf", "invoice-{}.pdf", "application/pdf", b"%PDF-1"),
        ("csv", "invoice-{}.csv", "text/csv; charset=utf-8", b"invoice,kind,"),
        ("focus", "invoice-{}-focus.csv", "text/csv; charset=utf-8", b"BilledCost,"),
    ],
)
def test_downloads(invoice, kind, name, media_type, head):
    answer = owner(invoice.customer).get(reverse("invoice-file", args=[invoice.pk, kind]))
    assert answer["Content-Disposition"] == f'attachment; filename="{name.format(invoice.label)}"'
    assert (answer["Content-Type"], answer["Cache-Control"]) == (media_type, "private, no-store")
    assert (answer.getvalue() if answer.streaming else answer.content).startswith(head)


def test_a_credit_note_has_a_page_and_a_pdf(invoice):
    note = credit_invoice(invoice=invoice, reason="An outage", actor=None)
    client = owner(invoice.customer)
    assert note.label in client.get(reverse("invoice", args=[invoice.pk])).content.decode()
    page = client.get(reverse("credit-note", args=[note.pk])).content.decode()
    for words in ("Reason: An outage", "Total credit", "1,404.32 USD", invoice.label):
        assert words in page
    assert client.get(reverse("credit-note-file", args=[note.pk])).content.startswith(b"%PDF-1")


def test_another_organization_finds_none_of_it(invoice):
    note = credit_invoice(invoice=invoice, reason="An outage", actor=None)
    foreign = owner(make_organization(make_user("charlie")))
    for name, places in (
        ("invoice", [invoice.pk]),
        ("invoice-file", [invoice.pk, "pdf"]),
        ("invoice-file", [invoice.pk, "csv"]),
        ("invoice-file", [invoice.pk, "focus"]),
        ("credit-note", [note.pk]),
        ("credit-note-file", [note.pk]),
        ("provider-invoice-file", [invoice.pk, "csv"]),
        ("provider-credit-note-file", [note.pk]),
    ):
        assert foreign.get(reverse(name, args=places)).status_code == 404, name
