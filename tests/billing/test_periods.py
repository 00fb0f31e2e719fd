"""Billing months are calendar months where the provider lives."""

from datetime import UTC, datetime

import pytest

from accounts.errors import Refused
from billing.periods import month, month_of, parse_month

NEW_YORK = "America/New_York"


@pytest.mark.parametrize(
    ("year", "number", "hours"), [(2026, 3, 743), (2026, 11, 721), (2026, 2, 672), (2028, 2, 696)]
)
def test_a_month_is_as_long_as_its_clock_says(year, number, hours):
    assert month(year, number, NEW_YORK).hours == hours


def test_a_month_is_cut_at_local_midnight():
    march = month(2026, 3, NEW_YORK)
    assert march.start == datetime(2026, 3, 1, 5, tzinfo=UTC)
    assert march.end == datetime(2026, 4, 1, 4, tzinfo=UTC)


def test_a_moment_belongs_to_one_month_of_each_zone():
    moment = datetime(2026, 1, 1, 2, tzinfo=UTC)
    assert month_of(moment, "UTC").label == "January 2026"
    assert month_of(moment, NEW_YORK).label == "December 2025"
    assert month_of(moment, "UTC").start in month_of(moment, "UTC")
    assert month_of(moment, "UTC").end not in month_of(moment, "UTC")


def test_months_follow_each_other_without_a_gap():
    period = month(2027, 3, NEW_YORK)
    for _ in range(30):
        assert period.previous().end == period.start
        period = period.previous()
    assert period.key == "2024-09"


def test_a_month_is_written_with_year_and_number():
    assert parse_month("2026-12", "UTC") == month(2026, 12, "UTC")
    for text in ("12/2026", "2026-13", "", "november"):
        with pytest.raises(Refused, match="Write it as") as refused:
            parse_month(text, "UTC")
        assert refused.value.field == "month"


def test_an_unknown_time_zone_is_refused():
    with pytest.raises(Refused, match="IANA") as refused:
        month(2026, 1, "Mars/Olympus")
    assert refused.value.field == "timezone"
