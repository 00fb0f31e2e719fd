"""Invoices as files, credit notes, and a month in FOCUS rows, by REST."""

import csv
from decimal import Decimal

import pytest

from tests.billing.documents.factories import make_bill
from tests.factories import make_member
from tests.rest.problems import fault, problem

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def invoice():
    return make_bill()


@pytest.fixture
def acme(invoice, program):
    return program(invoice.organization)


@pytest.fixture
def bob(invoice, program):
    return program(invoice.customer)


def rows(answer):
    return list(csv.DictReader(answer.getvalue().decode().splitlines()))


def test_an_invoice_tells_its_taxes_and_what_is_due(invoice, bob):
    found = bob.get(f"invoices/{invoice.pk}").json()
    money = {name: found[name] for name in ("subtotal", "tax_total", "total", "amount_due", "due_at")}
    assert money == {
        "subtotal": "1180.1",
        "tax_total": "224.22",
        "total": "1404.32",
        "amount_due": "1404.32",
        "due_at": "2026-11-15T02:00:00Z",
    }
    (tax,) = found["taxes"]
    assert (tax["name"], tax["percent"], tax["base"], tax["amount"]) == ("VAT", "19", "1180.1", "224.22")


@pytest.mark.parametrize("kind", ["pdf", "csv", "focus"])
def test_files_for_both_sides_and_nobody_else(invoice, acme, bob, charlie, kind):
    path, asked = f"/api/v1/invoices/{invoice.pk}/{kind}", "application/pdf" if kind == "pdf" else "text/csv"
    for who in (acme, bob):
        for accept in (asked, "*/*"):
            answer = who.client.get(path, headers={"Accept": accept})
            assert (answer.status_code, answer["Content-Type"].split(";")[0]) == (200, asked)
            assert invoice.label in answer["Content-Disposition"]
    problem(charlie.client.get(path, headers={"Accept": asked}), 404)


def test_a_months_usage_and_cost_adds_up_for_customer_and_provider(invoice, acme, bob, charlie):
    for who, side in ((bob, "customer"), (acme, "provider")):
        found = rows(who.get("usage-and-cost", month="2026-10", side=side))
        assert sum(D(row["BilledCost"]) for row in found) == invoice.total
    assert rows(bob.get("usage-and-cost", month="2026-10", side="provider")) == []
    assert rows(charlie.get("usage-and-cost", month="2026-10")) == []
    fault(bob.get("usage-and-cost", month="October"), "month")
    fault(bob.get("usage-and-cost"), "month", "required")
    fault(
        charlie.get("usage-and-cost", month="2026-10", organization=bob.organization.pk),
        "organization",
        "does_not_exist",
    )


def test_the_provider_credits_and_both_sides_see_it(invoice, acme, bob, charlie):
    note = acme.made(f"invoices/{invoice.pk}/credit", {"reason": "An outage", "amount": "119"})
    assert (note["total"], note["subtotal"], note["tax_total"], note["refunded"]) == ("119", "100", "19", "0")
    assert note["taxes"] == [{"name": "VAT", "percent": "19", "amount": "19"}]
    assert bob.get(f"credit-notes/{note['id']}").json() == note
    assert bob.get(f"invoices/{invoice.pk}").json()["credit_notes"] == [note["id"]]
    assert bob.get(f"credit-notes/{note['id']}/pdf").content.startswith(b"%PDF")
    problem(charlie.get(f"credit-notes/{note['id']}"), 404)
    problem(bob.post(f"invoices/{invoice.pk}/credit", {"reason": "I want it"}), 403)


def test_lines_are_credited_by_position_and_too_much_is_refused(invoice, acme):
    path = f"invoices/{invoice.pk}/credit"
    note = acme.made(path, {"reason": "No data", "lines": [{"position": 5, "amount": "1.80"}]})
    assert (note["total"], note["lines"][0]["invoice_position"]) == ("2.14", 5)
    again = {"reason": "Twice", "lines": [{"position": 5, "amount": "0.01"}]}
    fault(acme.post(path, again), "lines", "too_much")
    twice = {"reason": "x", "lines": [{"position": 1, "amount": "1"}, {"position": 1, "amount": "1"}]}
    fault(acme.post(path, twice), "lines", "twice")
    fault(acme.post(path, {"amount": "1"}), "reason", "required")
    fault(acme.post(path, {"reason": "x", "amount": "5000"}), "amount", "too_much")


def test_tax_rates_and_terms_are_kept_by_those_who_administer(invoice, acme, program):
    made = acme.made("tax-rates", {"name": "GST", "percent": "5", "customers": [invoice.customer_id]})
    assert (made["percent"], made["customers"]) == ("5", [invoice.customer_id])
    assert acme.patch(f"tax-rates/{made['id']}", {"percent": "6"}).json()["percent"] == "6"
    assert acme.delete(f"tax-rates/{made['id']}").status_code == 204
    fault(
        acme.post("tax-rates", {"name": "GST", "percent": "5", "country": "XX"}), "country", "unknown_country"
    )
    terms = acme.made("customer-terms", {"customer": invoice.customer_id, "due_days": 30})
    again = acme.made("customer-terms", {"customer": invoice.customer_id, "tax_treatment": "exempt"})
    assert (again["id"], again["due_days"], again["tax_treatment"]) == (terms["id"], 30, "exempt")
    member = program(invoice.organization, make_member(invoice.organization).user)
    problem(member.post("tax-rates", {"name": "GST", "percent": "5"}), 403)
    problem(member.get("tax-rates"), 403)


def test_a_customer_sees_neither_terms_nor_rates_of_her_provider(acme, bob, invoice):
    acme.made("customer-terms", {"customer": invoice.customer_id, "due_days": 30})
    assert bob.get("customer-terms").json()["count"] == bob.get("tax-rates").json()["count"] == 0


def test_a_billing_profile_is_read_and_changed(bob, invoice, program):
    profile = bob.get("billing-profile").json()
    assert (profile["legal_name"], profile["country"]) == ("Bob & Söhne <KG>", "FR")
    ids = [{"kind": "VAT ID", "value": "FR1"}]
    changed = bob.patch("billing-profile", {"tax_ids": ids, "country": "de"})
    assert (changed.json()["tax_ids"], changed.json()["country"]) == (ids, "DE")
    fault(bob.patch("billing-profile", {"logo": "http://127.0.0.1/x.png"}), "logo")
    fault(bob.get("billing-profile", organization=invoice.organization_id), "organization", "does_not_exist")
    member = program(invoice.customer, make_member(invoice.customer).user)
    problem(member.get("billing-profile"), 403)
