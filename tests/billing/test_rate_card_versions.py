"""What a rate card costs changes from a moment on, and never for the past."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import now

from accounts.errors import Refused
from billing.models import PlanPriceChange, RateCardVersion
from billing.rate_cards import (
    add_version,
    change_rate_card,
    copy_rate_card,
    delete_rate_card,
    drop_version,
    is_editable,
    load_preset,
    next_minute,
    price_plan,
    remove_price,
    set_price,
)
from tests.billing.factories import make_priced_plan, make_rate_card, subscribed
from tests.factories import audit_actions

pytestmark = pytest.mark.django_db
OPEN = [{"up_to": None, "unit_price": "0.01"}]
NEXT_CENTURY = datetime(2101, 1, 1, tzinfo=UTC)


@pytest.fixture
def sold():
    """A card that somebody is billed by."""
    card = make_rate_card(base_fee="10")
    subscribed(make_priced_plan(card))
    return card


def test_a_card_that_bills_nobody_is_changed_in_place():
    card = make_rate_card()
    make_priced_plan(card)
    change_rate_card(rate_card=card, base_fee="5", minimum="20", trial_days=14, actor=None)
    version = card.versions.get()
    assert (version.number, version.base_fee, version.minimum, version.trial_days) == (1, 5, 20, 14)
    assert is_editable(version)


def test_a_change_of_a_sold_card_holds_from_the_next_minute_on(sold):
    before = now()
    change_rate_card(rate_card=sold, base_fee="12", actor=None)
    set_price(rate_card=sold, meter="requests", tiers=OPEN, actor=None)
    remove_price(rate_card=sold, meter="bytes_out", actor=None)
    first, *new = sold.versions.all()
    assert (first.base_fee, first.prices.count()) == (10, 2)
    assert new[0].effective_from > before
    assert new[0].effective_from - before <= timedelta(minutes=1)
    # a minute's end in the middle of this test makes two versions
    assert (new[-1].base_fee, [price.meter for price in new[-1].prices.all()]) == (12, ["requests"])
    assert sold.version_at(before) == first


def test_many_changes_of_one_moment_are_one_version(sold):
    at = NEXT_CENTURY
    change_rate_card(rate_card=sold, maximum="99", at=at, actor=None)
    load_preset(rate_card=sold, preset="aws-rest", at=at, actor=None)
    set_price(
        rate_card=sold, meter="cache_hours", model="package", package_size=10, tiers=OPEN, at=at, actor=None
    )
    version = sold.versions.get(number=2)
    assert (version.effective_from, version.base_fee, version.maximum) == (at, 10, 99)
    assert [price.meter for price in version.prices.all()] == ["bytes_out", "cache_hours", "requests"]
    assert version.prices.get(meter="cache_hours").tariff.total(Decimal(11)) == Decimal("0.02")
    assert sold.current.number == 1


def test_nothing_is_changed_when_nothing_differs(sold):
    change_rate_card(rate_card=sold, base_fee="10", actor=None)
    assert sold.versions.count() == 1


@pytest.mark.parametrize("at", [datetime(2026, 1, 1, tzinfo=UTC), datetime(2101, 1, 1, 0, 0, 1, tzinfo=UTC)])
def test_a_moment_must_be_a_whole_minute_to_come(sold, at):
    with pytest.raises(Refused) as refused:
        change_rate_card(rate_card=sold, base_fee="1", at=at, actor=None)
    assert refused.value.field == "effective_from"
    assert sold.versions.count() == 1


def test_a_version_to_come_may_be_dropped_and_one_in_force_may_not(sold):
    coming = add_version(rate_card=sold, at=NEXT_CENTURY, actor=None)
    assert add_version(rate_card=sold, at=NEXT_CENTURY, actor=None) == coming
    drop_version(version=coming, actor=None)
    assert audit_actions()[-2:] == ["rate_card.version_added", "rate_card.version_dropped"]
    with pytest.raises(Refused, match="one version at least"):
        drop_version(version=sold.versions.get(), actor=None)
    add_version(rate_card=sold, at=NEXT_CENTURY, actor=None)
    with pytest.raises(Refused, match="in force") as refused:
        drop_version(version=sold.versions.get(number=1), actor=None)
    assert refused.value.code == "in_force"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_ratecardversion SET base_fee = 0",
        "UPDATE billing_ratecardversion SET effective_from = '2101-01-01'",
        "DELETE FROM billing_price",
        "UPDATE billing_price SET free_units = 5",
        """INSERT INTO billing_ratecardversion SELECT (jsonb_populate_record(v,
           '{"id": 9999, "number": 9, "effective_from": "2020-01-01"}')).* FROM billing_ratecardversion v LIMIT 1""",
        """INSERT INTO billing_price
           SELECT (jsonb_populate_record(p, '{"id": 9999, "meter": "x"}')).* FROM billing_price p LIMIT 1""",
    ],
)
def test_the_database_keeps_what_a_sold_card_cost(sold, statement):
    with (
        pytest.raises(IntegrityError, match=r"never change|would change what is in force"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_version_to_come_is_not_moved_into_the_past(sold):
    add_version(rate_card=sold, at=NEXT_CENTURY, actor=None)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        RateCardVersion.objects.filter(number=2).update(effective_from=now() - timedelta(hours=1))


def test_whose_tiers_they_are_stays_once_the_card_is_sold(sold):
    with pytest.raises(Refused, match="Copy it") as refused:
        change_rate_card(rate_card=sold, tiers_over="subscription", actor=None)
    assert refused.value.field == "tiers_over"


def test_a_plan_that_is_priced_anew_keeps_its_history():
    card = make_rate_card()
    plan = make_priced_plan(card)
    subscribed(plan)
    other = copy_rate_card(rate_card=card, name="Other", actor=None)
    price_plan(plan=plan, rate_card=other, actor=None)
    change = PlanPriceChange.objects.get()
    assert (change.old_card, change.new_card, change.at <= next_minute()) == (card, other, True)
    if change.at == next_minute():
        price_plan(plan=plan, rate_card=None, actor=None)
        assert PlanPriceChange.objects.get(at=change.at).new_card is None
    with pytest.raises(Refused, match="it stays"):
        delete_rate_card(rate_card=card, actor=None)
