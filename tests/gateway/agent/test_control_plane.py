import logging

import pytest

from gateway.agent.control_plane import ControlPlane, Rejected, Unreachable
from tests.gateway.agent.fakes import TOKEN, entry


async def test_entries_come_as_they_were_written(control_plane, client):
    control_plane.write(entry(1))
    assert await client.entries(after=0, wait=0) == {
        "generation": 1,
        "entries": [entry(1)],
        "more": False,
        "full": True,
    }


async def test_an_outage_is_one_problem_and_one_line_in_the_log(control_plane, client, problems, caplog):
    caplog.set_level(logging.INFO)
    await control_plane.stop()
    for _ in range(3):
        with pytest.raises(Unreachable):
            await client.status({"generation": 1})
    assert problems.names() == {"control plane"}
    await control_plane.start()
    await client.status({"generation": 1})
    assert problems.names() == set()
    lines = [record.getMessage() for record in caplog.records if record.name == "agent"]
    assert len(lines) == 2
    assert "unreachable" in lines[0]
    assert "fine again" in lines[1]


@pytest.mark.parametrize("status", [500, 502, 503, 404, 301])
async def test_a_broken_answer_is_worth_another_try(control_plane, client, status):
    control_plane.mood = status
    with pytest.raises(Unreachable):
        await client.send_batch(b"{}")


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_a_no_for_ever_says_why(control_plane, client, status):
    control_plane.mood = status
    with pytest.raises(Rejected, match=f"{status}: out of order"):
        await client.send_batch(b"{}")


async def test_a_wrong_token_is_named_and_never_logged(control_plane, problems, caplog):
    client = ControlPlane(control_plane.url, "ghn_a-wrong-and-secret-one", problems)
    with pytest.raises(Unreachable):
        await client.entries(after=0, wait=0)
    await client.close()
    assert "GATEHOUSE_NODE_TOKEN" in problems.report_list()[0]["text"]
    assert "a-wrong-and-secret-one" not in caplog.text + str(problems.report_list())
    assert TOKEN not in caplog.text


async def test_no_quota_is_an_answer(client):
    assert await client.lease({"subscription": "free", "want": 1, "offline_spent": 0, "request": "a"}) is None
