"""However a month is closed in parts, its invoices add up to what one closing says: properties by hypothesis."""

from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings, strategies as st

from billing.models import Invoice, InvoiceLine
from tests.billing.factories import (
    card_with,
    close,
    each_at,
    make_priced_plan,
    october,
    packages_at,
    subscribed,
    use,
)

pytestmark = pytest.mark.django_db(transaction=False)
D = Decimal
VOLUME = {
    "model": "volume",
    "tiers": [{"up_to": "30", "unit_price": "0.333"}, {"up_to": None, "unit_price": "0.1"}],
}
STEPS = {
    "tiers": [
        {"up_to": "25", "unit_price": "0.0333", "flat_fee": "1"},
        {"up_to": None, "unit_price": "0.007"},
    ],
    "free_units": 3,
}
PRICES = [STEPS, VOLUME, packages_at("1.5", 10, 2), each_at("0.0049")]


class _Undo(Exception):
    """Ends an example's savepoint."""


@pytest.mark.parametrize("price", PRICES, ids=["graduated", "volume", "package", "per unit"])
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    uses=st.lists(
        st.tuples(st.integers(1, 28), st.integers(0, 1), st.integers(1, 40)), min_size=1, max_size=4
    ),
    closings=st.sets(st.integers(2, 29), min_size=1, max_size=3),
)
def test_the_invoices_of_a_month_add_up_to_one(price, uses, closings):
    """Uses arrive when they come, for days before or after a closing; the customer has two subscriptions."""
    try:
        with transaction.atomic():
            whole, split = _pair(price), _pair(price)
            for number, (day, which, calls) in enumerate(uses):
                use(whole[which], october(day), calls)
                use(split[which], october(day), calls)
                for moment in sorted(closings)[number : number + 1]:
                    close(split[0].provider, at=october(moment, 23))
            for pair in (whole, split):
                close(pair[0].provider)
                assert close(pair[0].provider) == []
            assert _items(whole) == _items(split)
            raise _Undo
    except _Undo:
        pass


def _pair(price):
    """Two subscriptions of a customer, with a provider of their own."""
    plan = make_priced_plan(card_with(price=price, base_fee="10", minimum="12", maximum="15.5"))
    first = subscribed(plan)
    return first, subscribed(plan, first.organization)


def _items(pair):
    """item (without the ids of the pair) -> units and money on all invoices."""
    ids = (pair[0].pk, pair[1].pk, pair[0].plan.price.rate_card_id)
    sums = {}
    for line in InvoiceLine.objects.filter(invoice__customer=pair[0].organization).exclude(item="carried"):
        key = line.item
        for number, pk in enumerate(ids):
            key = key.replace(pk, str(number))
        units, money = sums.get(key, (D(0), D(0)))
        sums[key] = (units + line.quantity, money + line.amount)
    assert all(invoice.total >= 0 for invoice in Invoice.objects.filter(customer=pair[0].organization))
    return {key: value for key, value in sums.items() if any(value)}
