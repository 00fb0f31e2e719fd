"""Staff tax, credit and download in the admin console."""

from decimal import Decimal

import pytest
from django.urls import reverse

from billing.credit_notes import credit_invoice
from billing.models import BillingProfile, CreditNote, TaxRate
from tests.billing.documents.factories import make_bill
from tests.factories import audit_actions, make_organization, make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(make_staff("sam"))
    return client


@pytest.fixture
def invoice():
    return make_bill()


def test_an_invoice_shows_its_tax_and_is_downloaded(staff, invoice):
    page = staff.get(reverse("admin:billing_invoice_change", args=[invoice.pk])).content.decode()
    assert "VAT 19 %" in page
    assert "224.22" in page
    for name, head in (("pdf", b"%PDF-1"), ("csv", b"invoice,kind"), ("focus", b"BilledCost")):
        answer = staff.get(reverse(f"admin:billing_invoice_get_{name}", args=[invoice.pk]))
        assert answer.getvalue().startswith(head), name


def test_an_invoice_is_credited_from_a_dialog(staff, invoice):
    address = reverse("admin:billing_invoice_credit_this", args=[invoice.pk])
    assert "takes back a part" in staff.get(address).content.decode()
    staff.post(address, {"amount": "119", "reason": "An outage", "_form_submitted": "True"})
    note = CreditNote.objects.get()
    assert (note.total, note.reason, note.issued_by.email) == (119, "An outage", "sam@example.com")
    answer = staff.post(
        address, {"amount": "5000", "reason": "Too much", "_form_submitted": "True"}, follow=True
    )
    assert "are left to credit" in answer.content.decode()


def test_a_credit_note_is_read_and_downloaded_but_not_changed(staff, invoice):
    note = credit_invoice(invoice=invoice, reason="An outage", amount=Decimal(119), actor=None)
    page = staff.get(reverse("admin:billing_creditnote_change", args=[note.pk])).content.decode()
    assert note.label in page
    assert "119.00 USD" in page
    assert 'name="_save"' not in page
    assert staff.get(reverse("admin:billing_creditnote_add")).status_code == 403
    answer = staff.get(reverse("admin:billing_creditnote_get_pdf", args=[note.pk]))
    assert answer.content.startswith(b"%PDF-1")


def rate_form(organization, **fields):
    empty = dict.fromkeys(("region", "reverse_charge_note", "valid_from_0", "valid_from_1"), "")
    ends = {"valid_until_0": "", "valid_until_1": ""}
    given = {"organization": organization.pk, "name": "VAT", "percent": "19", "country": "DE"}
    return empty | ends | given | fields


def test_a_tax_rate_is_made_changed_and_removed(staff):
    acme, bob = make_organization(make_user("alice")), make_organization(make_user("bob"))
    staff.post(reverse("admin:billing_taxrate_add"), rate_form(acme, customers=[bob.pk]))
    rate = TaxRate.objects.get()
    assert (rate.percent, rate.country, list(rate.customers.all())) == (19, "DE", [bob])
    address = reverse("admin:billing_taxrate_change", args=[rate.pk])
    staff.post(address, rate_form(acme, percent="21", customers=[]))
    rate.refresh_from_db()
    assert (rate.percent, rate.customers.count()) == (21, 0)
    staff.post(reverse("admin:billing_taxrate_delete", args=[rate.pk]), {"post": "yes"})
    assert not TaxRate.objects.exists()
    assert audit_actions() == ["tax_rate.created", "tax_rate.changed", "tax_rate.deleted"]


def test_what_is_wrong_with_a_tax_rate_is_said_on_the_page(staff):
    answer = staff.post(reverse("admin:billing_taxrate_add"), rate_form(make_organization(), country="XX"))
    assert "is no country" in answer.content.decode()
    assert not TaxRate.objects.exists()


def test_a_billing_profile_is_edited(staff, invoice):
    profile = BillingProfile.objects.get(organization=invoice.customer)
    form = {
        "legal_name": "New name",
        "address": "",
        "country": "AT",
        "region": "",
        "tax_ids": '[{"kind": "VAT ID", "value": "ATU1"}]',
        "payment_instructions": "",
    }
    staff.post(reverse("admin:billing_billingprofile_change", args=[profile.pk]), form)
    profile.refresh_from_db()
    assert (profile.legal_name, profile.country, profile.tax_ids[0]["value"]) == ("New name", "AT", "ATU1")
