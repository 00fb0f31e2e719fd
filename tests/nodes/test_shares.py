"""Nodes ask for shares of throttles: the verb and the door."""

import itertools
from typing import Any

import pytest
from django.test import Client

from nodes import shares
from nodes.models import ThrottleShare
from nodes.shares import Wish
from nodes.sharing import COLD_AFTER, FLOOR
from tests.nodes.factories import make_node, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.nodes.urls")]
NOW = 1_700_000_000.0
_sequence = itertools.count(1)


def wish(share: float = 0.5, demand: float = 2.0, *, hungry: bool = True, freed: float = 0.0) -> Wish:
    return Wish(share, demand, freed, hungry, rate=100.0, burst=50.0)


def post(node: Any, default: float | None = 0.5, at: float = NOW, **wishes: Wish) -> shares.Answer:
    answer = shares.post(node=node, sequence=next(_sequence), default=default, wishes=wishes, at=at)
    assert answer is not None
    return answer


@pytest.fixture
def pair() -> tuple[Any, Any]:
    """Two nodes that know of each other: each works with half of every limit."""
    first, second = make_node()[0], make_node()[0]
    post(first, 0.5)
    post(second, 0.5)
    return first, second


def test_a_node_that_is_alone_has_everything_and_is_asked_seldom():
    answer = post(make_node()[0], None)
    assert (answer.default, answer.interval, answer.limits) == (1.0, shares.ALONE_INTERVAL, {})


def test_a_second_node_waits_for_its_part_until_the_first_has_given_it_up():
    first, second = make_node()[0], make_node()[0]
    assert post(first, None).default == 1.0
    assert post(second, None).default == 0.0
    assert post(first, 1.0).default == 0.5
    assert post(second, 0.0).default == 0.0
    assert post(first, 0.5).default == 0.5
    assert post(second, 0.0).default == 0.5


def test_a_node_that_is_silent_leaves_its_part_to_the_others(pair):
    first, _ = pair
    assert post(first, at=NOW + shares.ALIVE - 0.1).default == 0.5
    assert post(first, at=NOW + shares.ALIVE + 0.1).default == 1.0


def test_a_hungry_limit_moves_to_the_node_that_needs_it(pair):
    hungry, idle = pair
    assert post(hungry, p=wish()).limits["p"].share == 0.5
    asked = post(idle).limits["p"]
    assert (asked.share, asked.rate, asked.burst) == (0.5, 100.0, 50.0)
    assert post(idle, p=wish(0.5, 0.0, hungry=False)).limits["p"].share == FLOOR / 2
    post(idle, p=wish(FLOOR / 2, 0.0, hungry=False, freed=12.0))
    given = post(hungry, p=wish()).limits["p"]
    assert given.share == pytest.approx(1 - FLOOR / 2)
    assert given.add == pytest.approx(12.0)
    assert ThrottleShare.objects.get(name="p").pot == pytest.approx(0.0)


def test_other_limits_stay_as_they_are(pair):
    hungry, idle = pair
    post(hungry, p=wish())
    assert set(post(idle).limits) == {"p"}
    assert "q" not in post(hungry, p=wish(), q=wish(0.5, 0.1, hungry=False)).limits


def test_a_limit_that_refuses_nobody_any_more_is_forgotten(pair):
    hungry, idle = pair
    post(hungry, p=wish())
    post(idle)
    post(idle, p=wish(FLOOR / 2, 0.0, hungry=False))
    share = post(hungry, p=wish()).limits["p"].share
    assert share is not None
    for second in range(0, int(COLD_AFTER), 3):
        post(hungry, at=NOW + second, p=wish(share, 0.1, hungry=False))
        post(idle, at=NOW + second, p=wish(FLOOR / 2, 0.0, hungry=False))
    later = NOW + COLD_AFTER + 0.1
    post(idle, at=later, p=wish(FLOOR / 2, 0.0, hungry=False))
    assert post(hungry, at=later, p=wish(share, 0.0, hungry=False)).limits["p"].share is None
    post(idle, at=later, p=wish(0.5, 0.0, hungry=False))
    assert post(idle, at=later, p=wish(0.5, 0.0, hungry=False)).limits["p"].share is None
    for node in (hungry, idle):
        assert "p" not in post(node, at=later).limits
    assert not ThrottleShare.objects.filter(name="p").exists()


def test_a_post_that_was_overtaken_changes_nothing():
    node, _ = make_node()
    shares.post(node=node, sequence=9, default=None, wishes={}, at=NOW)
    assert shares.post(node=node, sequence=8, default=None, wishes={}, at=NOW) is None


def test_a_node_whose_clock_went_back_is_heard_again_soon():
    node, _ = make_node()
    shares.post(node=node, sequence=9, default=None, wishes={}, at=NOW)
    assert shares.post(node=node, sequence=1, default=1.0, wishes={}, at=NOW + shares.ALIVE + 1) is not None


def test_a_post_asks_a_bounded_number_of_queries(pair, django_assert_max_num_queries):
    hungry, _ = pair
    many = {f"p{number}": wish() for number in range(100)}
    with django_assert_max_num_queries(8):
        post(hungry, **many)
    assert ThrottleShare.objects.count() == 101


def test_the_door_takes_a_nodes_word(client: Client):
    _, token = make_node()
    limit = {"share": 1, "demand": 2, "freed": 0, "hungry": True, "rate": 100, "burst": 50}
    body = {"sequence": 1, "default": None, "limits": {"s:live": limit}}
    answer = client.post("/nodes/v1/shares", body, content_type="application/json", headers=signed_in(token))
    assert answer.status_code == 200, answer.content
    assert answer.json()["default"] == 1.0
    assert answer.json()["limits"]["s:live"]["share"] == pytest.approx(1.0)
    again = client.post("/nodes/v1/shares", body, content_type="application/json", headers=signed_in(token))
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"sequence": 0}, "sequence"),
        ({"sequence": 1, "default": 7}, "default"),
        ({"sequence": 1, "limits": []}, "limits"),
        ({"sequence": 1, "limits": {"*": {}}}, "limit"),
        ({"sequence": 1, "limits": {"p": {"share": "x"}}}, "share"),
        ({"sequence": 1, "limits": {"p": {"share": 0.5, "demand": -1}}}, "demand"),
        ({"sequence": 1, "limits": {f"p{n}": {} for n in range(201)}}, "limits"),
    ],
)
def test_nonsense_is_refused_by_name(client: Client, body: dict[str, Any], named: str):
    _, token = make_node()
    answer = client.post("/nodes/v1/shares", body, content_type="application/json", headers=signed_in(token))
    assert answer.status_code == 400
    assert named in answer.json()["detail"]


def test_nobody_without_a_nodes_token_asks_for_shares(client: Client):
    assert client.post("/nodes/v1/shares", {}, content_type="application/json").status_code == 401
