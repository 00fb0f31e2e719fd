"""PDFs by the real WeasyPrint, read back by pypdf."""

import dataclasses
from decimal import Decimal
from io import BytesIO

import pytest
from pypdf import PdfReader

from billing.credit_notes import credit_invoice
from billing.documents.content import credit_note_document, invoice_document
from billing.documents.pdf import MAX_ROWS, pdf
from billing.invoices import void
from billing.profiles import set_customer_terms
from tests.billing.documents.factories import loaded, make_bill, picture
from tests.billing.factories import NOVEMBER, close_one

pytestmark = pytest.mark.django_db


def read(document, **options) -> tuple[str, PdfReader]:
    reader = PdfReader(BytesIO(pdf(document, **options)))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split()), reader


def test_an_invoice_as_pdf_says_all_that_an_invoice_must():
    invoice = make_bill()
    text, reader = read(invoice_document(invoice))
    year = invoice.finalized_at.year
    for words in (
        f"Invoice {year}-000001",
        "Acme APIs GmbH",
        "Torstraße 1",
        "Germany",
        "VAT ID: DE123456789",
        "Bob & Söhne <KG>",
        "France",
        "Issued 2026-11-01",
        "Period 2026-10-01 to 2026-10-31",
        "Due 2026-11-15",
        "Requests, above 333,000,000 up to 1,000,000,000",
        "1,000,000 0.0000028 2.80",
        "100 GiB",
        "Subtotal without tax 1,180.10",
        "VAT 19 % 224.22",
        "Total 1,404.32 USD",
        "IBAN DE00 1234 5678",
        f"Please give {year}-000001",
        "Page 1 of 1",
    ):
        assert words in text, words
    assert reader.metadata.title == f"Invoice {year}-000001, Acme APIs GmbH"
    assert reader.metadata.author == "Acme APIs GmbH"


def test_screen_readers_find_structure_and_language():
    _, reader = read(invoice_document(make_bill()))
    root = reader.trailer["/Root"]
    assert (root["/Lang"], root["/MarkInfo"]["/Marked"]) == ("en", True)
    assert "/StructTreeRoot" in root
    assert b"pdfuaid:part" in root["/Metadata"].get_data()


def test_a_credit_note_as_pdf():
    note = credit_invoice(invoice=make_bill(), reason="An outage", amount=Decimal(119), actor=None)
    text, _ = read(credit_note_document(note))
    for words in (
        f"Credit note {note.label}",
        f"For invoice {note.invoice.label}",
        "Reason: An outage",
        "Subtotal without tax 100.00",
        "VAT 19 % 19.00",
        "Total credit 119.00 USD",
    ):
        assert words in text, words
    assert "How to pay" not in text
    assert "Amount due 1,285.32 USD" in read(invoice_document(loaded()))[0]


def test_a_long_invoice_shows_sums_and_points_to_the_csv_file():
    document = invoice_document(make_bill())
    (group,) = document.groups
    many = dataclasses.replace(document, groups=[dataclasses.replace(group, rows=group.rows * MAX_ROWS)])
    text, _ = read(many)
    assert f"there are {many.rows} lines" in text
    assert "Requests, above" not in text
    assert "Total 1,404.32 USD" in text


def test_a_logo_is_shown_and_nothing_is_fetched(caplog):
    document = invoice_document(make_bill())
    _, reader = read(document, logo=picture())
    assert len(reader.pages[0].images) == 1
    _, reader = read(document, logo="http://127.0.0.1:1/logo.png")
    assert len(reader.pages[0].images) == 0
    assert "disallowed protocol" in caplog.text


def test_reverse_charge_is_explained_and_a_void_invoice_asks_for_nothing():
    invoice = make_bill()
    set_customer_terms(
        provider=invoice.organization, customer=invoice.customer, tax_treatment="reverse_charge", actor=None
    )
    second = close_one(invoice.organization, period=NOVEMBER, at=NOVEMBER.end)
    document = invoice_document(second)
    assert document.notes == ["Reverse charge: the customer accounts for the tax."]
    assert document.total == ("Total", "10.00 USD")
    void(invoice=second, actor=None)
    second.refresh_from_db()
    assert invoice_document(second).how_to_pay == []
