"""What the console tells of a node."""

import pytest

from nodes.facts import facts
from nodes.models import Node

SAID = {
    "nginx": {"started": 1_763_889_123.5, "entries": 12_345, "capacity_bytes": 2**27, "free_bytes": 2**26},
    "clock": 1_763_889_200,
    "usage_lag_seconds": 1.25,
    "disk_free_bytes": 3 * 2**30,
}  # fmt: skip


def test_a_report_is_told_in_words() -> None:
    told = dict(facts(Node(status=SAID)))
    assert told["nginx runs since"].startswith("2025-11-23 09:12:03 UTC (")
    assert told["Entries in nginx"] == "12,345"
    assert told["Oldest count not delivered"] == "1.2 s old"
    assert told["Its clock"] == "2025-11-23 09:13:20 UTC"
    assert told["Free disk"].replace("\xa0", " ") == "3.0 GB"
    assert told["Memory for entries"].replace("\xa0", " ") == "64.0 MB of 128.0 MB in use"


@pytest.mark.parametrize(
    "said",
    [{}, {"nginx": "gone", "clock": None}, {"clock": 1e300, "usage_lines": True, "nginx": {"free_bytes": 1}}],
)
def test_what_was_not_said_or_makes_no_sense_is_left_out(said: dict[str, object]) -> None:
    assert facts(Node(status=said)) == []
