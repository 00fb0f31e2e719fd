import pytest
from hypothesis import given, strategies as st

from gateway.batches import LATENCY_BOUNDS_MS
from metering.latency import BOUNDS_MS, BUCKETS, percentile


def test_the_control_plane_and_the_nodes_use_the_same_buckets() -> None:
    assert BOUNDS_MS == LATENCY_BOUNDS_MS
    assert len(LATENCY_BOUNDS_MS) + 1 == BUCKETS


def test_no_calls_have_no_percentile() -> None:
    assert percentile([0] * BUCKETS, 0.5) is None


def test_a_percentile_lies_between_the_bounds_of_its_bucket() -> None:
    counts = [0] * BUCKETS
    counts[BOUNDS_MS.index(20)] = 10  # more than 15, up to 20 ms
    assert percentile(counts, 0.5) == 17.5
    assert percentile(counts, 1) == 20
    assert percentile(counts, 0) == 15


def test_the_slowest_calls_count_as_the_last_bound() -> None:
    counts = [0] * BUCKETS
    counts[0], counts[-1] = 90, 10
    assert percentile(counts, 0.9) == 1
    assert percentile(counts, 0.99) == 30_000


def test_a_share_outside_0_to_1_is_an_error() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        percentile([1] * BUCKETS, 99)


@given(st.lists(st.integers(0, 1_000), min_size=BUCKETS, max_size=BUCKETS), st.floats(0, 1), st.floats(0, 1))
def test_a_higher_percentile_is_never_lower(counts: list[int], one: float, other: float) -> None:
    low, high = sorted([one, other])
    if sum(counts):
        assert percentile(counts, low) <= percentile(counts, high) <= 30_000
