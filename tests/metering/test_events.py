from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from access.models import Subscription
from accounts.errors import Refused
from metering.billable import UsageSpan, billable, billable_in
from metering.events import Event, forget_events, take_events
from metering.meters import archive_meter, change_meter, create_meter
from metering.models import MeterEvent, MeterRecord
from tests.factories import audit_actions, make_organization, make_subscription
from tests.metering.factories import NOON

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def subscription() -> Subscription:
    """A subscription whose provider has one meter of each kind."""
    made = make_subscription()
    for how in ("sum", "max", "last", "unique_count"):
        create_meter(organization=made.provider, code=f"m_{how}", name=how, aggregation=how, actor=None)
    return made


def take(subscription: Subscription, *events: Event, at: datetime = NOON) -> list[bool]:
    return take_events(organization=subscription.provider, events=events, at=at)


def event(
    subscription: Subscription, number: Any, meter: str = "sum", value: str = "1", **fields: Any
) -> Event:
    return Event(f"e{number}", "tests", f"m_{meter}", subscription.pk, value, **fields)


def billed(
    subscription: Subscription, start: datetime = NOON, end: datetime = NOON + HOUR
) -> dict[str, Decimal]:
    found = billable(subscription_ids=[subscription.pk], start=start, end=end)[subscription.pk]
    return {meter: value for (_, meter), value in found.items()}


def test_values_add_up_as_the_meter_says(subscription: Subscription) -> None:
    for number, (value, minutes) in enumerate([("2.5", 40), ("0.000000000001", 50), ("7", 5), ("7", 6)]):
        for meter in ("sum", "max", "last", "unique_count"):
            one = event(subscription, f"{meter}{number}", meter, value, at=NOON + timedelta(minutes=minutes))
            assert take(subscription, one, at=NOON + HOUR) == [True]
    assert billed(subscription) == {
        "m_sum": Decimal("16.500000000001"),
        "m_max": Decimal(7),
        "m_last": Decimal("0.000000000001"),
        "m_unique_count": Decimal(3),
    }


def test_a_repeat_counts_once_also_within_one_request(subscription: Subscription) -> None:
    first, second = event(subscription, 1, value="3"), event(subscription, 2, value="4")
    assert take(subscription, first, second, first) == [True, True, False]
    assert take(subscription, second, event(subscription, 3, value="5")) == [False, True]
    assert billed(subscription) == {"m_sum": Decimal(12)}
    # another source may use the same ids
    assert take(subscription, Event("e1", "elsewhere", "m_sum", subscription.pk, "1")) == [True]
    assert MeterEvent.objects.count() == 4


def test_the_order_of_events_changes_nothing(subscription: Subscription) -> None:
    events = [
        event(subscription, f"{meter}{n}", meter, str(n), at=NOON + timedelta(minutes=n * 7))
        for n in (3, 1, 2)
        for meter in ("sum", "max", "last")
    ]
    take(subscription, *events, at=NOON + HOUR)
    assert billed(subscription) == {"m_sum": Decimal(6), "m_max": Decimal(3), "m_last": Decimal(3)}


def test_a_late_event_counts_in_its_own_month_to_the_quarter_of_an_hour(subscription: Subscription) -> None:
    # November in India
    start = datetime(2026, 10, 31, 18, 30, tzinfo=UTC)
    take(
        subscription,
        event(subscription, 1, value="1", at=start - timedelta(seconds=1)),
        event(subscription, 2, value="10", at=start),
        at=NOON,
    )
    spans = [UsageSpan(subscription.pk, start - HOUR, start), UsageSpan(subscription.pk, start, NOON)]
    assert billable_in(spans) == [{("", "m_sum"): Decimal(1)}, {("", "m_sum"): Decimal(10)}]


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"meter": "nothing"}, "type", "There is no meter 'nothing'; there are: m_last"),
        ({"subscription_id": "nobody0001"}, "subject", "is no subscription to one of your plans"),
        ({"value": "many"}, "data.value", "Give a number"),
        ({"value": "NaN"}, "data.value", "Give a number"),
        ({"value": "1e99"}, "data.value", "Give a number"),
        ({"value": "0.0000000000001"}, "data.value", "Give a number"),
        ({"at": NOON + 2 * HOUR}, "time", "lies in the future"),
        ({"at": NOON - timedelta(days=36)}, "time", "more than 35 days past"),
    ],
)
def test_one_bad_event_refuses_all_and_is_named(
    subscription: Subscription, change: dict[str, Any], field: str, words: str
) -> None:
    fields = {"id": "e2", "source": "s", "meter": "m_sum", "subscription_id": subscription.pk, "value": "1"}
    with pytest.raises(Refused, match=words) as refused:
        take(subscription, event(subscription, 1), Event(**(fields | change)))
    assert refused.value.field == f"events[1].{field}"
    assert not MeterEvent.objects.exists()


def test_another_providers_subscriptions_and_meters_are_out_of_reach(subscription: Subscription) -> None:
    with pytest.raises(Refused, match="there are: none yet"):
        take_events(organization=make_organization(), events=[event(subscription, 1)], at=NOON)
    with pytest.raises(Refused, match="is no subscription to one of your plans"):
        take(subscription, event(make_subscription(), 1))


def test_old_events_are_forgotten_and_their_sums_stay(subscription: Subscription, settings: Any) -> None:
    settings.USAGE_KEEP_BATCHES_DAYS = 45
    take(subscription, event(subscription, 1, at=NOON))
    later = NOON + timedelta(days=46)
    assert (forget_events(at=NOON + timedelta(days=44)), forget_events(at=later)) == (0, 1)
    with pytest.raises(Refused, match="35 days past"):
        take(subscription, event(subscription, 1, at=NOON), at=later)
    assert billed(subscription) == {"m_sum": Decimal(1)}


def test_a_meter_is_made_changed_and_archived(subscription: Subscription) -> None:
    provider = subscription.provider
    meter = create_meter(organization=provider, code="tokens", name="Tokens", unit="token", actor=None)
    change_meter(meter=meter, name="AI tokens", actor=None)
    archive_meter(meter=meter, actor=None)
    assert audit_actions()[-3:] == ["meter.created", "meter.changed", "meter.archived"]
    for code, words in (
        ("tokens", "already"),
        ("requests", "Gatehouse itself"),
        ("Tokens", "small letters"),
        ("x\n", "small letters"),
    ):
        with pytest.raises(Refused, match=words) as refused:
            create_meter(organization=provider, code=code, name="x", actor=None)
        assert refused.value.field == "code"
    with pytest.raises(Refused, match="There is no meter 'tokens'"):
        take(subscription, Event("e", "s", "tokens", subscription.pk, "1"))
    assert not MeterRecord.objects.exists()
