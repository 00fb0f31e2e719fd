"""Closing an organization by REST: only its owners, with its name."""

from collections.abc import Callable

import pytest

from accounts.models import Organization, Role
from billing.models import Invoice, InvoiceState
from tests.factories import make_member, make_organization, make_user
from tests.rest.conftest import Program
from tests.rest.factories import make_invoice

pytestmark = pytest.mark.django_db


def test_only_owners_close_it_and_hear_what_stands_in_the_way(program: Callable[..., Program]) -> None:
    shop = make_organization(make_user("alice"), name="Shop")
    owner = program(shop, shop.members.get().user)
    admin = program(shop, make_member(shop, make_user("bob"), Role.ADMIN).user)
    place = f"organizations/{shop.pk}"
    invoice = make_invoice(make_organization(), shop)
    assert [each["code"] for each in owner.get(f"{place}/closing").json()] == ["open_invoices"]
    assert owner.post(f"{place}/close", {"name": "Shop"}).json()["errors"][0]["code"] == "in_the_way"
    Invoice.objects.filter(pk=invoice.pk).update(state=InvoiceState.VOID)
    assert admin.post(f"{place}/close", {"name": "Shop"}).status_code == 403
    assert owner.post(f"{place}/close", {"name": "Other"}).json()["errors"][0]["code"] == "not_confirmed"
    foreign = make_organization(name="Elsewhere")
    assert owner.post(f"organizations/{foreign.pk}/close", {"name": "Elsewhere"}).status_code == 404
    answer = owner.post(f"{place}/close", {"name": "Shop"})
    assert answer.status_code == 200
    assert answer.json()["closed_at"]
    assert owner.get(place).status_code == 401
    assert Organization.objects.get(pk=shop.pk).closed_at
