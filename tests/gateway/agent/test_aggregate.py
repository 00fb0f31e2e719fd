import pytest
from hypothesis import given, strategies as st

from gateway.agent.aggregate import Aggregate
from gateway.batches import LATENCY_BOUNDS_MS, Row

KIB = 1_024
BUCKETS = len(LATENCY_BOUNDS_MS) + 1


def total(*lines: str | bytes) -> Aggregate:
    aggregate = Aggregate()
    aggregate.add(b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines))
    return aggregate


def counts(*milliseconds: int) -> list[int]:
    found = [0] * BUCKETS
    for one in milliseconds:
        found[sum(bound < one for bound in LATENCY_BOUNDS_MS)] += 1
    return found


def test_lines_with_equal_dimensions_become_one_row():
    rows, unknown = total(
        "1763889123.456 sabc kabc stab opab 200 512 230 0.012 - 0.011",
        "1763889130.000 sabc kabc stab opab 204 100 200 0.000 - 0.001, 0.010",
    ).result()
    row = Row(1763889120, "sabc", "kabc", "stab", "opab", 2, "", 2, 612, 430, 12, 22, counts(12, 0))
    row.http_requests = row.stream_requests = 2
    assert (rows, unknown) == ([row], 0)


def test_each_dimension_makes_a_row_of_its_own():
    base = ["1763889123.456", "s", "k", "st", "op", "200", "1", "1", "0.001", "-", "0.001"]
    lines = [" ".join(base)]
    for place, other in (
        (0, "1763889183.000"),
        (1, "s2"),
        (2, "k2"),
        (3, "t2"),
        (4, "o2"),
        (5, "404"),
        (9, "X"),
    ):
        lines.append(" ".join([*base[:place], other, *base[place + 1 :]]))
    assert len(total(*lines).result()[0]) == len(lines)


def test_calls_of_a_canary_make_a_row_of_their_own():
    line = "1763889123.456 s k st op 200 1 1 0.001 - {} 0.001"
    rows, _ = total(*(line.format(flags) for flags in ("-", "c", "c", "cm", "v"))).result()
    assert sorted((row.canary, row.calls, row.cache_misses) for row in rows) == [(False, 2, 0), (True, 3, 1)]


def test_hits_and_misses_of_the_cache_are_counted_in_one_row():
    line = "1763889123.456 s k st op 200 1 1 0.001 - {} {}"
    rows, _ = total(
        *(line.format(*end) for end in (("h", "-"), ("h", "-"), ("m", "0.001"), ("-", "0.001")))
    ).result()
    assert [(row.calls, row.cache_hits, row.cache_misses) for row in rows] == [(4, 2, 1)]


def test_lines_without_flags_are_read_as_before():
    rows, _ = total(
        "1763889123.456 s k st op 200 1 1 0.001 - -",
        "1763889123.456 s k st op 200 1 1 0.001 - 0.001, 0.002",
        "1763889123.456 s k st op 429 1 1 0.001 THROTTLED -",
        "1763889123.456 s k st op 429 1 1 0.001 THROTTLED v -",
    ).result()
    assert sorted((row.verdict, row.calls, row.integration_ms) for row in rows) == [
        ("", 2, 3),
        ("THROTTLED", 2, 0),
    ]


def test_a_refused_call_has_no_subscription_and_keeps_its_verdict():
    rows, _ = total("1763889123.456 - - stab opab 403 300 99 0.000 INVALID_API_KEY -").result()
    row = Row(1763889120, "", "", "stab", "opab", 4, "INVALID_API_KEY", 1, 300, 99, 0, 0, counts(0))
    row.http_requests = row.stream_requests = 1
    assert rows == [row]


@pytest.mark.parametrize(
    ("out", "into", "units", "stream"),
    [
        (0, 0, (1, 1, 1), 1),
        (KIB * 512, 0, (1, 1, 1), 1),
        (KIB * 512, 1, (2, 1, 1), 1),
        (1, KIB * 512, (2, 1, 1), 1),
        (KIB * 513, 0, (2, 1, 2), 1),
        (KIB * 300, KIB * 300, (2, 1, 1), 1),
        (KIB * 4_608, 0, (9, 1, 9), 1),
        (KIB * 10_240, KIB * 513, (22, 2, 20), 1),
        (KIB * 10_240 + 1, 0, (21, 1, 21), 2),
    ],
)
def test_large_calls_are_several_units(out, into, units, stream):
    line = f"1763889123.456 s k st op 200 {out} {into} 0.001 - - 0.001"
    for payload, expected in zip(("both", "request", "response"), units, strict=True):
        aggregate = Aggregate(payload)
        aggregate.add(f"{line}\n{line}\n".encode())
        [row], _ = aggregate.result()
        assert (row.calls, row.http_requests, row.stream_requests) == (2, 2 * expected, 2 * stream)


def test_a_call_that_reached_no_stage_is_only_counted():
    aggregate = total("1763889123.456 - - - - 403 300 99 0.000 MISSING_AUTHENTICATION_TOKEN -")
    assert aggregate.result() == ([], 1)


def test_a_client_that_left_before_an_answer_counts_as_its_own_fault():
    rows, _ = total("1763889123.456 s k st op 000 0 99 0.100 - -").result()
    assert rows[0].status_class == 4


def test_a_status_beyond_the_known_classes_counts_as_the_backends_fault():
    rows, _ = total("1763889123.456 s k st op 999 0 99 0.100 - 0.100").result()
    assert rows[0].status_class == 5


def test_a_very_slow_call_lies_in_the_last_bucket():
    rows, _ = total("1763889123.456 s k st op 200 1 1 99.000 - 98.999").result()
    assert rows[0].latency_counts == [0] * (BUCKETS - 1) + [1]


def test_tries_at_several_backends_and_pauses_between_them_are_summed():
    rows, _ = total(
        "1763889123.456 s k st op 502 1 1 0.100 INTEGRATION_FAILURE -, 0.010 : 0.005",
    ).result()
    assert rows[0].integration_ms == 15


def test_a_line_may_have_flags():
    plain, _ = total("1763889123.456 s k st op 200 7 8 0.001 - 0.001").result()
    for flags in ("-", "v", "k"):
        rows, _ = total(f"1763889123.456 s k st op 200 7 8 0.001 - {flags} 0.001").result()
        assert rows == plain


def test_garbage_is_counted_and_never_fatal():
    good = "1763889123.456 s k st op 200 1 1 0.001 - 0.001"
    aggregate = total(good, "", "rubbish", b"\xff\x00\xfe", "1 2 3 4 5 6 7 8 9 10 11", good)
    assert (aggregate.lines, aggregate.garbage) == (2, 4)
    assert sum(row.calls for row in aggregate.result()[0]) == 2


def test_a_good_line_behind_a_torn_one_is_saved():
    good = "1763889123.456 s2 k st op 200 7 8 0.001 - 0.001"
    for end in range(1, len(good) - 8):
        aggregate = total(good[:end] + good)
        rows, _ = aggregate.result()
        assert (aggregate.garbage, sum(row.calls for row in rows)) == (1, 1), good[:end]
        assert [row.bytes_out for row in rows] == [7]


def test_zeros_after_a_power_cut_do_not_hide_the_next_line():
    aggregate = total(b"\x00" * 40 + b"1763889123.456 s k st op 200 7 8 0.001 - 0.001")
    assert (aggregate.lines, aggregate.garbage) == (1, 1)


names = st.sampled_from(["-", "a1", "b2", "c3"])
seconds = st.floats(0, 200, allow_nan=False).map("{:.3f}".format)
lines = st.builds(
    lambda *fields: " ".join(str(field) for field in fields),
    st.floats(1_700_000_000, 1_700_000_300).map("{:.3f}".format),
    names,
    names,
    names,
    names,
    st.sampled_from([200, 204, 301, 404, 429, 500, 504]),
    st.integers(0, 10**9),
    st.integers(0, 10**9),
    seconds,
    st.sampled_from(["-", "THROTTLED", "INTEGRATION_TIMEOUT"]),
    st.one_of(st.just("-"), seconds, st.lists(seconds, min_size=2, max_size=3).map(", ".join)),
)


@given(st.lists(lines))
def test_the_rows_add_up_to_the_lines(found):
    aggregate = total(*found)
    rows, unknown = aggregate.result()
    fields = [line.split(" ") for line in found]
    staged = [one for one in fields if one[3] != "-"]
    assert aggregate.lines == len(found)
    assert aggregate.garbage == 0
    assert sum(row.calls for row in rows) + unknown == len(found)
    assert sum(row.bytes_out for row in rows) == sum(int(one[6]) for one in staged)
    assert sum(row.bytes_in for row in rows) == sum(int(one[7]) for one in staged)
    assert sum(row.latency_ms for row in rows) == sum(round(float(one[8]) * 1000) for one in staged)
    assert all(sum(row.latency_counts) == row.calls for row in rows)
    sizes = [int(one[6]) + int(one[7]) for one in staged]
    assert sum(row.http_requests for row in rows) == sum(max(1, -(-size // 524_288)) for size in sizes)
    assert len(
        {(r.minute, r.subscription, r.key, r.stage, r.operation, r.status_class, r.verdict) for r in rows}
    ) == len(rows)


@given(
    st.lists(
        st.one_of(lines.map(str.encode), st.binary(max_size=80).map(lambda raw: raw.replace(b"\n", b"")))
    )
)
def test_any_bytes_are_taken(found):
    aggregate = total(*found)
    assert aggregate.lines + aggregate.garbage >= len(found)
    assert aggregate.lines <= len(found)
