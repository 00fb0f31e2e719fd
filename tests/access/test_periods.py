from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfoNotFoundError

import pytest
from hypothesis import given, strategies as st

from access.models import QuotaPeriod
from access.periods import window

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Pacific/Auckland", "America/Sao_Paulo")


def utc_window(period: str, timezone: str, at: str) -> tuple[str, str]:
    moment = datetime.fromisoformat(at + "+00:00")
    start, end = window(period=period, timezone=timezone, at=moment)
    return start.astimezone(UTC).isoformat()[:16], end.astimezone(UTC).isoformat()[:16]


@pytest.mark.parametrize(
    ("period", "timezone", "at", "expected"),
    [
        ("DAY", "UTC", "2026-11-18T12:00", ("2026-11-18T00:00", "2026-11-19T00:00")),
        ("WEEK", "UTC", "2026-11-18T12:00", ("2026-11-16T00:00", "2026-11-23T00:00")),
        ("WEEK", "UTC", "2026-11-15T23:59", ("2026-11-09T00:00", "2026-11-16T00:00")),
        ("MONTH", "UTC", "2026-12-31T23:59", ("2026-12-01T00:00", "2027-01-01T00:00")),
        ("MONTH", "UTC", "2028-02-29T00:00", ("2028-02-01T00:00", "2028-03-01T00:00")),
        # 23:30 UTC is the next day in Kolkata, and in this case the next month
        ("MONTH", "Asia/Kolkata", "2026-11-30T23:30", ("2026-11-30T18:30", "2026-12-31T18:30")),
        # the clock is set back in Berlin on 25 October 2026: 25 hours
        ("DAY", "Europe/Berlin", "2026-10-25T12:00", ("2026-10-24T22:00", "2026-10-25T23:00")),
        # and forward on 29 March 2026: 23 hours
        ("DAY", "Europe/Berlin", "2026-03-29T12:00", ("2026-03-28T23:00", "2026-03-29T22:00")),
        # midnight did not exist in Sao Paulo on 4 November 2018; the day began at 1 o'clock
        ("DAY", "America/Sao_Paulo", "2018-11-04T12:00", ("2018-11-04T03:00", "2018-11-05T02:00")),
        # midnight came twice in Sao Paulo's autumn; 17 February 2018 had 25 hours
        ("DAY", "America/Sao_Paulo", "2018-02-18T02:30", ("2018-02-17T02:00", "2018-02-18T03:00")),
    ],
)
def test_a_window_follows_the_calendar_of_its_time_zone(
    period: str, timezone: str, at: str, expected: tuple[str, str]
) -> None:
    assert utc_window(period, timezone, at) == expected


@pytest.mark.parametrize("timezone", ZONES)
@pytest.mark.parametrize("period", QuotaPeriod.values)
@given(at=st.datetimes(datetime(2015, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_windows_hold_their_moment_and_follow_each_other(period: str, timezone: str, at: datetime) -> None:
    start, end = window(period=period, timezone=timezone, at=at)
    assert start.timestamp() <= at.timestamp() < end.timestamp()
    following, _ = window(period=period, timezone=timezone, at=end.astimezone(UTC))
    assert following.timestamp() == end.timestamp()
    before = start.astimezone(UTC) - timedelta(seconds=1)
    assert window(period=period, timezone=timezone, at=before)[1].timestamp() == start.timestamp()


def test_an_unknown_period_or_zone_is_an_error() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="unknown period 'YEAR'"):
        window(period="YEAR", timezone="UTC", at=at)
    with pytest.raises(ZoneInfoNotFoundError):
        window(period="DAY", timezone="Mars/Olympus", at=at)
