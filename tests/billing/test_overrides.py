"""What one customer pays differently, and when."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from accounts.errors import Refused
from billing.models import PriceOverride
from billing.overrides import end_override, give_override
from tests.billing.factories import (
    amounts,
    card_with,
    close_one,
    each_at,
    make_priced_plan,
    october,
    subscribed,
    use,
)
from tests.factories import audit_actions, make_organization

pytestmark = pytest.mark.django_db
D = Decimal
NEXT_CENTURY = datetime(2101, 1, 1, tzinfo=UTC)
OPEN = [{"up_to": None, "unit_price": "0.01"}]


def agreed(subscription, **fields):
    """An override as if it had been given in time."""
    return PriceOverride.objects.create(
        organization=subscription.provider,
        customer=subscription.organization,
        rate_card=subscription.plan.price.rate_card,
        **({"starts_at": october(1, 0)} | fields),
    )


@pytest.fixture
def subscription():
    return subscribed(make_priced_plan(card_with(price=each_at("1"), base_fee="31")))


def test_a_discount_takes_its_percent_off_everything(subscription):
    agreed(subscription, percent="12.5")
    use(subscription, october(5), 49)
    invoice = close_one(subscription.provider)
    assert amounts(invoice) == [31, 49, -10]
    assert invoice.lines.last().description.endswith(": Discount of 12.5 %")
    assert invoice.frozen["overrides"][0]["percent"] == "12.5"


def test_a_discount_on_a_meter_for_a_time(subscription):
    agreed(subscription, percent="50", meter="requests", starts_at=october(11, 0), ends_at=october(21, 0))
    for day in (10, 11, 20, 21):
        use(subscription, october(day), 10)
    invoice = close_one(subscription.provider)
    assert amounts(invoice) == [31, 40, -10]


def test_a_price_of_its_own_takes_the_place_of_the_cards(subscription):
    agreed(subscription, meter="requests", model="graduated", tiers=OPEN, starts_at=october(16, 0))
    use(subscription, october(5), 100)
    use(subscription, october(16, 0), 100)
    assert amounts(close_one(subscription.provider)) == [31, 100, 1]


def test_one_for_the_meter_goes_before_one_for_all(subscription):
    agreed(subscription, percent="100")
    agreed(subscription, percent="10", meter="requests")
    use(subscription, october(5), 100)
    assert sorted(amounts(close_one(subscription.provider))) == [-31, -10, 31, 100]


def test_another_customer_pays_as_the_card_says(subscription):
    agreed(subscription, percent="50")
    other = subscribed(subscription.plan)
    use(other, october(5), 10)
    from tests.billing.factories import close

    totals = {each.customer: each.total for each in close(subscription.provider)}
    assert totals == {subscription.organization: D("15.50"), other.organization: 41}


def test_it_is_given_and_ended_for_the_time_to_come(subscription):
    card, customer = subscription.plan.price.rate_card, subscription.organization
    made = give_override(rate_card=card, customer=customer, percent="5", starts_at=NEXT_CENTURY, actor=None)
    assert (made.organization, made.percent, str(made)) == (
        card.organization,
        5,
        f"{customer}: 5 % off {card}",
    )
    ended = end_override(override=made, actor=None)
    assert ended.ends_at == NEXT_CENTURY  # it never begins
    own = give_override(
        rate_card=card, customer=customer, meter="requests", model="per_unit", tiers=OPEN, actor=None
    )
    assert own.tariff.total(D(100)) == 1
    assert audit_actions()[-3:] == ["price_override.given", "price_override.ended", "price_override.given"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "percent"),
        ({"percent": "5", "model": "per_unit", "tiers": OPEN, "meter": "requests"}, "percent"),
        ({"percent": "0"}, "percent"),
        ({"percent": "100.1"}, "percent"),
        ({"percent": "1.2345"}, "percent"),
        ({"model": "per_unit", "tiers": OPEN}, "meter"),
        ({"model": "per_unit", "tiers": [], "meter": "requests"}, "tiers"),
        ({"percent": "5", "meter": "Mega"}, "meter"),
        ({"percent": "5", "starts_at": october(1)}, "starts_at"),
        ({"percent": "5", "ends_at": october(1)}, "ends_at"),
        ({"percent": "5", "ends_at": NEXT_CENTURY.replace(second=1)}, "ends_at"),
    ],
)
def test_what_cannot_be_given_is_refused_at_its_field(fields, field):
    with pytest.raises(Refused) as refused:
        give_override(rate_card=card_with(), customer=make_organization(), actor=None, **fields)
    assert refused.value.field == field
    assert not PriceOverride.objects.exists()
