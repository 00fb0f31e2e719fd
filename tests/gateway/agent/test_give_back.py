import pytest

from gateway.agent import give_back as give_back_module
from gateway.agent.give_back import GiveBack


def lease(subscription, units, **more):
    return {"subscription": subscription, "key": "", "starts_at": 1_000, "epoch": 0, "units": units, **more}


@pytest.fixture
def back(client):
    return GiveBack(client)


async def test_each_lease_is_given_back_once(control_plane, back):
    back.add([lease("s1", 5), lease("s1", 3, key="k1"), lease("s2", 0)])
    await back.send()
    await back.send()
    assert sorted((each["units"], each["key"]) for each in control_plane.returned) == [(3, "k1"), (5, "")]


async def test_what_was_not_heard_is_repeated_as_it_was_and_in_order(control_plane, back):
    control_plane.mood = 503
    back.add([lease("s1", 5)])
    await back.send()
    back.add([lease("s1", 2)])
    await back.send()
    control_plane.mood = "ok"
    await back.send()
    assert [each["units"] for each in control_plane.returned] == [5, 2]
    assert len({each["request"] for each in control_plane.returned}) == 2


async def test_what_is_never_taken_is_dropped(control_plane, back):
    control_plane.mood = 400
    back.add([lease("s1", 5)])
    await back.send()
    control_plane.mood = "ok"
    await back.send()
    assert control_plane.returned == []


async def test_the_queue_has_an_end(control_plane, back, monkeypatch):
    monkeypatch.setattr(give_back_module, "MOST_WAITING", 2)
    back.add([lease(f"s{number}", 1) for number in range(4)])
    await back.send()
    assert sorted(each["subscription"] for each in control_plane.returned) == ["s2", "s3"]
