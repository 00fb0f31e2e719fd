from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st

from metering.models import UsageDay, UsageHour, UsageMinute
from metering.pieces import SECONDS, cut

minutes = st.integers(0, 60 * 24 * 40).map(lambda n: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n))


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}+00:00")


def test_a_span_of_days_is_read_from_days() -> None:
    assert list(cut(at("03-01T00:00"), at("04-01T00:00"))) == [
        (UsageDay, at("03-01T00:00"), at("04-01T00:00"))
    ]


def test_a_month_of_another_time_zone_is_days_with_hours_at_its_ends() -> None:
    assert list(cut(at("02-28T23:00"), at("03-31T22:00"))) == [
        (UsageHour, at("02-28T23:00"), at("03-01T00:00")),
        (UsageDay, at("03-01T00:00"), at("03-31T00:00")),
        (UsageHour, at("03-31T00:00"), at("03-31T22:00")),
    ]


def test_a_month_of_a_half_hour_zone_has_minutes_at_its_ends() -> None:
    assert [table for table, _, _ in cut(at("02-28T18:30"), at("03-31T18:30"))] == [
        UsageMinute,
        UsageHour,
        UsageDay,
        UsageHour,
        UsageMinute,
    ]


def test_a_span_within_an_hour_is_read_from_minutes() -> None:
    span = at("03-01T10:10"), at("03-01T10:20")
    assert list(cut(*span)) == [(UsageMinute, *span)]


def test_a_span_without_length_has_no_piece() -> None:
    assert list(cut(at("03-01T10:10"), at("03-01T10:10"))) == []


@given(minutes, minutes)
def test_the_pieces_follow_each_other_without_gap_and_begin_where_their_records_do(
    one: datetime, other: datetime
) -> None:
    start, end = sorted([one, other])
    pieces = list(cut(start, end))
    assert len(pieces) <= 5
    place = start
    for table, first, last in pieces:
        assert first == place
        assert first < last
        assert first.timestamp() % SECONDS[table] == last.timestamp() % SECONDS[table] == 0
        place = last
    assert place == end
