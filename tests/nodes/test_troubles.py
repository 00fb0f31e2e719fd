"""What is wrong with nodes, and what the page advises."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from nodes.models import Entry
from nodes.troubles import advice_for, states
from tests.nodes.factories import make_node

pytestmark = pytest.mark.django_db
FINE = {
    "nginx": {"connections": 12, "free_bytes": 90, "capacity_bytes": 100},
    "calls_per_second": 3.5,
    "problems": [],
    "spool_batches": 1,
}


def told(newest=0, **fields):
    """The only node's state, and its troubles as one text."""
    make_node(**({"status": FINE} | fields))
    (state,) = states(newest=newest, at=now())
    return state, " ".join(f"{each.text} {each.advice}" for each in state.troubles)


def test_a_node_that_is_well_says_its_load():
    state, text = told(generation=7, newest=7)
    assert (state.state, state.lag, text) == ("up", 0, "")
    assert (state.calls, state.connections, state.memory_free, state.memory) == (3.5, 12, 90, 100)


def test_one_that_is_silent_is_down():
    state, text = told(last_seen_at=now() - timedelta(minutes=3))
    assert state.state == "down"
    assert "Silent since" in text
    assert "Check that its agent runs" in text


def test_one_that_never_reported_says_how_to_start_it():
    state, text = told(last_seen_at=None, status={})
    assert (state.state, state.calls) == ("new", None)
    assert "Run a node" in text


def test_a_disabled_one_is_no_trouble():
    state, text = told(enabled=False, last_seen_at=None)
    assert (state.state, text) == ("disabled", "")


def test_a_change_that_is_stuck_is_told_but_not_one_on_its_way():
    entry = Entry.objects.create(kind="stage", key="a", generation=9)
    state, text = told(generation=8, newest=9)
    assert (state.lag, text) == (1, "")
    Entry.objects.filter(pk=entry.pk).update(written_at=now() - timedelta(seconds=40))
    (state,) = states(newest=9, at=now())
    assert "1 change behind, for 40 s." in state.troubles[0].text


def test_what_it_reports_gets_an_advice():
    problem = {"name": "bad entry stage abc", "text": "nginx refuses it"}
    _, text = told(status=FINE | {"problems": [problem, "odd"]})
    assert "bad entry stage abc: nginx refuses it Deploy that stage again" in text
    assert "nearly full" not in text


def test_little_memory_many_batches_and_a_wrong_clock_are_told():
    nginx = {"free_bytes": 5, "capacity_bytes": 100}
    wrong = now().timestamp() + 90
    _, text = told(status=FINE | {"nginx": nginx, "spool_batches": 40, "clock": wrong})
    for words in ("nearly full", "40 usage batches wait", "Its clock is +90 s off"):
        assert words in text


def test_different_versions_are_told():
    make_node(version="nginx 1")
    make_node(version="nginx 2")
    assert all("different versions" in each.troubles[0].text for each in states(newest=0, at=now()))


def test_odd_reports_break_nothing():
    state, text = told(status={"nginx": "odd", "problems": {}, "clock": True, "spool_batches": None})
    assert (state.memory, text) == (None, "")


@pytest.mark.parametrize(
    ("problem", "advice"),
    [("usage log place", "agent's log"), ("disk space", "Free disk"), ("something new", "agent's log")],
)
def test_every_problem_has_an_advice(problem, advice):
    assert advice in advice_for(problem)
