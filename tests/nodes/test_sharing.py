"""The arithmetic of shares: it never gives more than there is, and follows demand."""

import itertools

from hypothesis import given, strategies as st

from nodes.sharing import COLD_AFTER, FLOOR, Division, Hold, Said, divide, settle

NODES = [f"node{number}" for number in range(5)]
demands = st.dictionaries(st.sampled_from(NODES), st.floats(0, 50), min_size=1)


@given(demands)
def test_shares_add_up_to_one_and_nobody_is_without(asked):
    shares = divide(asked)
    assert abs(sum(shares.values()) - 1) < 1e-9
    assert min(shares.values()) >= FLOOR / len(asked) - 1e-12


@given(demands)
def test_who_asks_for_more_never_gets_less(asked):
    shares = divide(asked)
    ordered = sorted(asked, key=asked.__getitem__)
    assert all(shares[low] <= shares[high] + 1e-9 for low, high in itertools.pairwise(ordered))


@given(demands)
def test_demand_that_fits_is_met_and_what_is_left_is_divided(asked):
    if sum(asked.values()) <= 1 - FLOOR:
        assert all(divide(asked)[node] >= asked[node] - 1e-9 for node in asked)


def test_equal_need_beyond_the_limit_is_met_equally():
    assert divide({"a": 2.0, "b": 90.0}) == {"a": 0.5, "b": 0.5}


def test_one_node_alone_gets_nearly_everything():
    shares = divide({"a": 2.0, "b": 0.0})
    assert shares["a"] == 1 - FLOOR / 2
    assert shares["b"] == FLOOR / 2


words = st.lists(
    st.tuples(
        st.sampled_from(NODES),
        st.floats(0, 3),  # its demand
        st.booleans(),  # whether it takes what it is told
        st.floats(0, 1),  # which part of its tokens it has left
    ),
    max_size=60,
)


@given(words)
def test_what_nodes_may_be_using_never_exceeds_the_limit(said):
    """Also when answers are lost: a node that did not hear goes on with what it had."""
    defaults = dict.fromkeys(NODES, 1 / len(NODES))
    division = Division(hungry_at=100.0)
    used = dict(defaults)
    tokens = dict.fromkeys(NODES, 0.0)
    freed = dict.fromkeys(NODES, 0.0)
    burst = 1_000.0
    for node, demand, hears, part in said:
        gave, freed[node] = freed[node], 0.0
        portion = settle(division, node, Said(used[node], demand, gave), defaults=defaults, now=100.0)
        if hears:
            have = min(tokens[node], burst * used[node]) + portion.add
            used[node] = portion.share
            have = have or burst * used[node] * part  # time passed: it filled up again
            tokens[node] = min(have, burst * used[node])
            freed[node] = have - tokens[node]
        assert sum(used.values()) <= 1 + 1e-6
        assert sum(tokens.values()) + sum(freed.values()) + division.pot <= burst * (1 + 1e-6)


def test_a_node_gets_more_only_when_another_said_that_it_works_with_less():
    defaults = {"a": 0.5, "b": 0.5}
    division = Division(hungry_at=10.0)
    assert settle(division, "a", Said(0.5, 2.0), defaults=defaults, now=10.0).share == 0.5
    told = settle(division, "b", Said(0.5, 0.0), defaults=defaults, now=10.0)
    assert told.share == FLOOR / 2
    assert settle(division, "a", Said(0.5, 2.0), defaults=defaults, now=10.0).share == 0.5
    settle(division, "b", Said(told.share, 0.0, freed=7.0), defaults=defaults, now=10.0)
    more = settle(division, "a", Said(0.5, 2.0), defaults=defaults, now=10.0)
    assert abs(more.share - (1 - FLOOR / 2)) < 1e-9
    assert abs(more.add - 7.0) < 1e-9


def test_a_limit_that_refuses_nobody_goes_back_to_equal_parts():
    defaults = {"a": 0.5, "b": 0.5}
    division = Division({"a": Hold(0.9, 0.0), "b": Hold(0.1, 0.0)}, hungry_at=10.0)
    later = 10.1 + COLD_AFTER
    assert settle(division, "b", Said(0.1, 0.0), defaults=defaults, now=later).share == 0.1
    assert settle(division, "a", Said(0.9, 0.0), defaults=defaults, now=later).share == 0.5
    settle(division, "a", Said(0.5, 0.0), defaults=defaults, now=later)
    assert settle(division, "b", Said(0.1, 0.0), defaults=defaults, now=later).share == 0.5


def test_nodes_that_together_hold_too_much_each_go_down_to_their_part():
    defaults = {"a": 1.0, "b": 1.0}
    division = Division({"a": Hold(1.0, 1.0), "b": Hold(1.0, 1.0)}, hungry_at=10.0)
    assert settle(division, "a", Said(1.0, 1.0), defaults=defaults, now=10.0).share == 0.5
    assert settle(division, "b", Said(1.0, 1.0), defaults=defaults, now=10.0).share == 0.5
