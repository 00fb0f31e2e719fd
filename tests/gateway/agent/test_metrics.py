"""What a monitoring system reads of a node."""

import asyncio
import socket as sockets
from types import SimpleNamespace

import aiohttp
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway.agent.aggregate import Aggregate
from gateway.agent.demand import Limit
from gateway.agent.metrics import MetricsServer, NodeCollector
from gateway.agent.tally import MOST_STAGES, OTHER, Tally
from portal.embedded.ports import free_port
from tests.gateway.agent.fakes import eventually

LINES = b"""1763889123.456 s k stage1 op 200 512 230 0.012 - - 0.011
1763889123.500 s k stage1 op 200 512 230 0.012 - ch -
1763889123.600 s k stage1 op 200 512 230 0.400 - m 0.390
1763889124.000 s k stage1 op 429 100 200 0.000 THROTTLED - -
1763889124.000 - - - - 403 100 200 0.000 MISSING_AUTHENTICATION_TOKEN - -
"""


def counted(text: bytes = LINES) -> Tally:
    total = Aggregate()
    total.add(text)
    tally = Tally()
    tally.add(*total.result(), total.integrations())
    return tally


def report(**status):
    nginx = {
        "workers": 2,
        "started": 1_700_000_000.5,
        "free_bytes": 4096,
        "capacity_bytes": 8192,
        "entries": 9,
    }
    known = {"nginx": nginx, "problems": [], "spool_batches": 3, "disk_free_bytes": 77}
    return {"generation": 41, "version": "fake", "status": known | status}


def collector(tally=None, shares=None, **status):
    return NodeCollector(
        tally=tally or Tally(),
        shares=shares or SimpleNamespace(default=None, limits={}),
        report=lambda: report(**status),
        newest=lambda: 42,
        unread=lambda: 1_234,
        leases={"granted": 5, "spent": 2},
    )


def scrape(found):
    """Every sample by name and labels, as a monitoring system reads them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(found)
    text = generate_latest(registry).decode()
    samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples[sample.name, tuple(sorted(sample.labels.items()))] = sample.value
    return text, samples


def of_stage(name, stage="stage1", **labels):
    return f"gatehouse_{name}", tuple(sorted({"stage": stage, **labels}.items()))


def test_calls_are_counted_by_stage_status_verdict_and_canary():
    _, found = scrape(collector(counted()))
    accepted = {"status": "2xx", "verdict": ""}
    assert found[of_stage("calls_total", **accepted, canary="false")] == 2
    assert found[of_stage("calls_total", **accepted, canary="true")] == 1
    assert found[of_stage("calls_total", status="4xx", verdict="THROTTLED", canary="false")] == 1
    assert found["gatehouse_refused_unknown_total", ()] == 1


def test_bytes_and_the_cache_are_counted():
    _, found = scrape(collector(counted()))
    assert found[of_stage("request_bytes_total")] == 3 * 230 + 200
    assert found[of_stage("response_bytes_total")] == 3 * 512 + 100
    assert found[of_stage("cache_hits_total")] == 1
    assert found[of_stage("cache_misses_total")] == 1


def test_histograms_count_up_to_each_bound_and_end_with_all():
    _, found = scrape(collector(counted()))
    assert found[of_stage("latency_seconds_bucket", le="0.015")] == 3
    assert found[of_stage("latency_seconds_bucket", le="+Inf")] == 4
    assert found[of_stage("latency_seconds_count")] == 4
    assert found[of_stage("latency_seconds_sum")] == pytest.approx(0.424)
    assert found[of_stage("integration_latency_seconds_count")] == 2
    assert found[of_stage("integration_latency_seconds_bucket", le="0.3")] == 1
    assert found[of_stage("integration_latency_seconds_sum")] == pytest.approx(0.401)


def test_node_and_agent_tell_how_they_are():
    problems = [{"name": "control plane", "text": "away", "since": 1}]
    _, found = scrape(collector(problems=problems))
    values = {name: value for (name, labels), value in found.items() if not labels}
    expected = {
        "generation": 41, "generation_newest": 42, "usage_log_unread_bytes": 1_234, "spool_batches": 3,
        "nginx_up": 1, "nginx_workers": 2, "nginx_start_time_seconds": 1_700_000_000.5, "disk_free_bytes": 77,
        "entries_memory_free_bytes": 4096, "entries_memory_bytes": 8192, "problems": 1, "control_plane_up": 0,
    }  # fmt: skip
    assert {name: values[f"gatehouse_{name}"] for name in expected} == expected
    assert found["gatehouse_lease_asks_total", (("outcome", "spent"),)] == 2


def test_an_nginx_that_is_away_is_told():
    _, found = scrape(collector(nginx={}))
    assert found["gatehouse_nginx_up", ()] == 0
    assert ("gatehouse_nginx_workers", ()) not in found


def test_shares_are_told_without_naming_subscriptions():
    limits = {"s:stage1": Limit(share=0.7), "p:subscript1": Limit(share=0.2), "i": Limit()}
    text, found = scrape(collector(shares=SimpleNamespace(default=0.5, limits=limits)))
    share = {
        labels[0][1]: value for (name, labels), value in found.items() if name == "gatehouse_throttle_share"
    }
    assert share == {"equal": 0.5, "s:stage1": 0.7}
    assert found["gatehouse_divided_limits", ()] == 3
    assert "subscript1" not in text


def test_the_number_of_stages_is_bounded_and_nothing_is_lost():
    lines = b"".join(
        b"1763889123.456 s k stage%d op 200 1 1 0.001 - - 0.001\n" % number
        for number in range(MOST_STAGES + 20)
    )
    tally = counted(lines)
    stages = tally.stages()
    assert len(stages) == MOST_STAGES + 1
    assert sum(stages[OTHER].calls.values()) == 20
    assert sum(stages[OTHER].integration_counts) == 20
    before = sum(stages["stage0"].calls.values())
    tally.add(*_again(lines))
    assert sum(tally.stages()["stage0"].calls.values()) == 2 * before
    assert sum(stages["stage0"].calls.values()) == before


def _again(lines):
    total = Aggregate()
    total.add(lines)
    return *total.result(), total.integrations()


async def test_the_server_answers_on_its_own_port_only_with_metrics(problems):
    port = free_port()
    task = asyncio.create_task(MetricsServer("127.0.0.1", port, collector(counted()), problems).run())
    try:
        async with aiohttp.ClientSession() as session:
            await eventually(lambda: _listens(port))
            async with session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                assert (answer.status, answer.content_type) == (200, "text/plain")
                assert "gatehouse_calls_total" in await answer.text()
            async with session.get(f"http://127.0.0.1:{port}/") as answer:
                assert answer.status == 404
    finally:
        task.cancel()


async def test_a_port_that_is_taken_is_reported_and_ends_nothing(problems):
    with sockets.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        task = asyncio.create_task(MetricsServer("127.0.0.1", port, collector(), problems).run())
        await eventually(lambda: "metrics" in problems.names())
        assert not task.done()
        task.cancel()


async def test_without_a_port_nothing_listens(problems):
    task = asyncio.create_task(MetricsServer("127.0.0.1", 0, collector(), problems).run())
    await asyncio.sleep(0.05)
    assert problems.names() == set()
    task.cancel()


def _listens(port):
    with sockets.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
