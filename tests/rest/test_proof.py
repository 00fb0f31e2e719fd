"""Invoices recomputed and months replayed, by REST and on the customer's page."""

import io
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Invoice
from metering.models import UsageHour
from tests.billing.audit.factories import use_sealed
from tests.billing.factories import card_with, close_one, each_at, make_priced_plan, october, subscribed
from tests.factories import make_organization, make_user
from tests.rest.problems import fault, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice() -> Invoice:
    owner = make_user("bob")
    plan = make_priced_plan(
        card_with(make_organization(make_user("alice")), price=each_at("0.5"), base_fee="3")
    )
    use_sealed(subscribed(plan, make_organization(owner)), october(5), 7)
    return close_one(plan.organization)


def test_both_sides_may_check_an_invoice_and_nobody_else(invoice: Invoice, program: Any) -> None:
    for organization in (invoice.customer, invoice.organization):
        found = program(organization).get(f"invoices/{invoice.pk}/audit").json()
        assert (found["ok"], found["findings"], found["records"]) == (True, [], 1)
        assert [line["billed"] for line in found["lines"]] == [line["recomputed"] for line in found["lines"]]
        answer = program(organization).get(f"invoices/{invoice.pk}/bundle")
        assert answer["Content-Type"] == "application/zip"
        names = zipfile.ZipFile(io.BytesIO(answer.getvalue())).namelist()
        assert sorted(names) == [
            "invoice.json",
            "meters.csv",
            "price_list.json",
            "recompute.py",
            "records.csv",
            "seals.json",
        ]
    stranger = program(make_organization(make_user("charlie")))
    for kind in ("audit", "bundle"):
        problem(stranger.get(f"invoices/{invoice.pk}/{kind}"), 404)


def test_a_changed_record_is_told(invoice: Invoice, program: Any) -> None:
    UsageHour.objects.update(calls=8)
    found = program(invoice.customer).get(f"invoices/{invoice.pk}/audit").json()
    assert (found["ok"], found["findings"][0]["kind"]) == (False, "changed")
    assert [line["recomputed"]["amount"] for line in found["lines"] if not line["ok"]] == ["4"]


def test_the_customer_checks_it_with_a_button(invoice: Invoice, client: Client) -> None:
    client.force_login(invoice.customer.members.get().user)
    page = client.get(reverse("invoice", args=[invoice.pk])).content.decode()
    assert reverse("invoice-check", args=[invoice.pk]) in page
    page = client.get(reverse("invoice-check", args=[invoice.pk])).content.decode()
    assert "Every line agrees" in page
    assert page.count("Agrees") == 2
    answer = client.get(reverse("invoice-bundle", args=[invoice.pk]))
    assert answer["Content-Disposition"].endswith('-records.zip"')
    assert zipfile.ZipFile(io.BytesIO(answer.getvalue())).testzip() is None  # type: ignore[attr-defined]
    UsageHour.objects.all().delete()
    page = client.get(reverse("invoice-check", args=[invoice.pk])).content.decode()
    assert "does not agree" in page
    assert "is missing" in page
    client.force_login(make_organization(make_user("charlie")).members.get().user)
    for name in ("invoice-check", "invoice-bundle"):
        assert client.get(reverse(name, args=[invoice.pk])).status_code == 404


def test_a_month_is_replayed_with_another_card(invoice: Invoice, program: Any) -> None:
    card = invoice.organization.rate_cards.get()
    draft = card_with(invoice.organization, name="Draft", price=each_at("1"))
    alice = program(invoice.organization)
    body = {"month": "2026-10", "rate_card": draft.pk}
    found = alice.done(f"rate-cards/{card.pk}/simulate", body)
    assert (found["before"], found["after"], found["more"]) == ("6.5", "7", 1)
    assert found["customers"] == [
        {
            "customer": invoice.customer_id,
            "name": invoice.customer.name,
            "before": "6.5",
            "after": "7",
            "difference": "0.5",
            "percent": "7.7",
        }
    ]
    fault(alice.post(f"rate-cards/{card.pk}/simulate", {"version": 9}), "version", "unknown")
    problem(program(invoice.customer).post(f"rate-cards/{card.pk}/simulate", {}), 404)
