"""The demo's money pages are not empty, and a second start adds nothing."""

import pytest

from billing.ledger.balances import balance
from billing.models import Budget, CreditGrant, TaxRate
from portal.demo.money import make_money
from tests.factories import make_organization, make_user

pytestmark = pytest.mark.django_db


def test_money_is_made_once():
    actor, provider, customer = make_user("alice"), make_organization(), make_organization()
    for _ in range(2):
        make_money(provider=provider, customer=customer, actor=actor)
    assert [(rate.name, rate.percent, rate.country) for rate in TaxRate.objects.all()] == [("VAT", 19, "DE")]
    assert balance(provider=provider, customer=customer, currency="USD") == 5
    assert CreditGrant.objects.count() == 1
    assert [(each.amount, each.stops) for each in Budget.objects.all()] == [(50, False)]
