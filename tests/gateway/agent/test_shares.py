"""The agent between nginx's buckets and the control plane's division."""

import pytest

from gateway.agent.demand import HEADROOM, Limit
from gateway.agent.shares import Shares

TOLD = {"share": 0.8, "add": 3.0, "rate": 100.0, "burst": 50.0}


@pytest.fixture
def start(folder, socket, client):
    """Start an agent's part anew, in the same folder."""
    return lambda: Shares(folder / "shares.json", socket, client)


@pytest.fixture
def shares(start):
    return start()


def hungry(refused=5):
    return {"p:one": {"refused": refused, "rate": 100.0, "burst": 50.0}}


async def test_a_node_that_is_alone_leaves_nginx_in_peace(nginx, control_plane, shares):
    await shares.begin()
    await shares.step()
    orders = len(nginx.share_orders)
    for _ in range(3):
        await shares.step()
    assert shares.default == 1.0
    assert len(nginx.share_orders) == orders
    assert control_plane.share_asks[0]["default"] is None


async def test_the_equal_part_is_set_in_nginx_and_confirmed(nginx, control_plane, shares):
    control_plane.shares = {"default": 0.5, "interval": 0.5, "limits": {}}
    await shares.begin()
    await shares.step()
    assert nginx.share == 0.5
    assert [ask["default"] for ask in control_plane.share_asks] == [None, 0.5]


async def test_a_refusal_is_told_at_once_and_the_answer_set_in_nginx(nginx, control_plane, shares):
    control_plane.shares = {"default": 0.5, "interval": 9, "limits": {}}
    await shares.begin()
    await shares.step()
    control_plane.shares["limits"] = {"p:one": TOLD}
    nginx.hungry = hungry()
    await shares.step()
    wish = control_plane.share_asks[-1]["limits"]["p:one"]
    assert (wish["hungry"], wish["share"], wish["rate"], wish["burst"]) == (True, 0.5, 100.0, 50.0)
    assert wish["demand"] >= 1.0
    assert nginx.shares == {"p:one": 0.8}
    assert nginx.share_orders[-1]["set"][0]["add"] == 3.0


async def test_a_smaller_share_is_confirmed_at_once_with_what_was_freed(nginx, control_plane, shares):
    control_plane.shares = {"default": 0.5, "interval": 9, "limits": {}}
    await shares.begin()
    await shares.step()
    control_plane.shares["limits"] = {"p:one": TOLD | {"share": 0.1, "add": 0}}
    nginx.freed, nginx.hungry = {"p:one": 12.5}, hungry()
    await shares.step()
    wish = control_plane.share_asks[-1]["limits"]["p:one"]
    assert (wish["share"], wish["freed"]) == (0.1, 12.5)
    shares._urgent = True
    await shares.step()
    assert control_plane.share_asks[-1]["limits"]["p:one"]["freed"] == 0


async def test_a_limit_that_is_not_told_of_goes_back_to_the_equal_part(nginx, control_plane, shares):
    control_plane.shares = {"default": 0.5, "interval": 9, "limits": {"p:one": TOLD}}
    await shares.begin()
    await shares.step()
    assert nginx.shares == {"p:one": 0.8}
    control_plane.shares["limits"] = {}
    shares._urgent = True
    await shares.step()
    assert nginx.shares == {}
    assert shares.limits == {}


async def test_shares_stay_when_the_control_plane_is_away(nginx, control_plane, shares):
    control_plane.shares = {"default": 0.5, "interval": 0.1, "limits": {"p:one": TOLD}}
    await shares.begin()
    await shares.step()
    control_plane.mood = 503
    nginx.hungry = hungry()
    for _ in range(3):
        shares._urgent = True
        await shares.step()
    assert (nginx.share, nginx.shares) == (0.5, {"p:one": 0.8})


async def test_a_restarted_nginx_gets_its_shares_again_and_nothing_is_freed(nginx, control_plane, shares):
    control_plane.shares = {"default": 0.5, "interval": 9, "limits": {"p:one": TOLD}}
    await shares.begin()
    await shares.step()
    await nginx.restart()
    nginx.freed = {"p:one": 40.0}
    await shares.step()
    assert (nginx.share, nginx.shares) == (0.5, {"p:one": 0.8})
    assert shares.limits["p:one"].freed == 0


async def test_a_restarted_agent_takes_over_what_nginx_works_with(nginx, control_plane, shares, start):
    control_plane.shares = {"default": 0.5, "interval": 9, "limits": {"p:one": TOLD}}
    await shares.begin()
    await shares.step()
    again = start()
    await again.begin()
    assert again.default == 0.5
    assert again.limits["p:one"].share == 0.8


async def test_a_node_started_without_a_control_plane_has_its_last_equal_part(
    nginx, control_plane, shares, start
):
    control_plane.shares = {"default": 0.25, "interval": 9, "limits": {}}
    await shares.begin()
    await shares.step()
    await nginx.restart()
    control_plane.mood = 503
    again = start()
    await again.begin()
    await again.step()
    assert nginx.share == 0.25


async def test_a_control_plane_that_knows_of_no_shares_leaves_the_whole_limits(nginx, control_plane, shares):
    control_plane.mood = 404
    await shares.begin()
    await shares.step()
    assert (shares.default, nginx.share) == (1.0, 1.0)


def test_demand_is_what_was_taken_and_refused():
    limit = Limit(rate=100.0, burst=50.0)
    limit.observe(taken=1_000, refused=0, seconds=1, now=0)
    for second in range(1, 20):
        limit.observe(taken=1_000 + 40 * second, refused=0, seconds=1, now=second)
    assert limit.wish(default=0.5, now=20)["demand"] == pytest.approx(0.4 * HEADROOM, rel=0.01)


def test_demand_falls_quickly_when_callers_leave():
    limit = Limit(rate=100.0, burst=50.0, per_second=200.0, taken=500)
    for step in range(5):
        limit.observe(taken=500, refused=0, seconds=0.1, now=step * 0.1)
    assert limit.wish(default=0.5, now=1)["demand"] < 0.2


def test_refused_callers_that_wait_politely_still_count_as_demand():
    limit = Limit(share=0.3, rate=100.0, burst=50.0, taken=0)
    limit.observe(taken=3, refused=1, seconds=0.1, now=5.0)
    assert limit.wish(default=0.5, now=5.0)["demand"] == pytest.approx(0.6)


def test_a_count_that_starts_anew_is_no_negative_demand():
    limit = Limit(rate=100.0, burst=50.0, taken=900)
    limit.observe(taken=4, refused=0, seconds=1, now=1)
    assert 0 < limit.per_second < 5


def test_a_slow_limit_is_watched_for_longer():
    slow, fast = Limit(rate=2.0, burst=2.0, taken=0), Limit(rate=500.0, burst=9.0, taken=0)
    for limit in (slow, fast):
        limit.observe(taken=1, refused=1, seconds=0.1, now=0.0)
    assert slow.is_hungry(2.0)
    assert not fast.is_hungry(2.0)
