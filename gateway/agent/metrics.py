"""Metrics of a node in Prometheus' text format: `GET /metrics` on a port of its own, off by default.

What is in them: counts by stage, and how node and agent are. No keys, no subscriptions, no secrets.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from gateway.agent.problems import Problems
from gateway.agent.shares import Shares
from gateway.agent.tally import StageTally, Tally
from gateway.batches import LATENCY_BOUNDS_MS

RETRY_SECONDS = 10.0
PROBLEM = "metrics"
_STATUS = {1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}
# gauges of the status report -> (name, what it is); nested names are separated by a dot
_GAUGES = {
    "stored_generation": ("generation_stored", "Newest generation that the agent has on disk."),
    "stored_entries": ("entries_stored", "Entries that the agent has on disk."),
    "usage_lag_seconds": ("usage_lag_seconds", "Age of the oldest count that the control plane lacks."),
    "spool_batches": ("spool_batches", "Usage batches that wait for the control plane."),
    "rejected_batches": ("rejected_batches", "Usage batches that the control plane refused for good."),
    "disk_free_bytes": ("disk_free_bytes", "Free disk space of the node's folder."),
    "agent_started": ("agent_start_time_seconds", "When the agent started, Unix seconds."),
    "nginx.connections": ("nginx_connections", "Open connections of nginx, kept ones too."),
    "nginx.workers": ("nginx_workers", "nginx worker processes."),
    "nginx.started": ("nginx_start_time_seconds", "When nginx started, Unix seconds."),
    "nginx.entries": ("entries", "Entries that nginx holds."),
    "nginx.free_bytes": (
        "entries_memory_free_bytes",
        "Shared memory for entries that is free (whole pages).",
    ),
    "nginx.capacity_bytes": ("entries_memory_bytes", "Shared memory for entries."),
}


class NodeCollector(Collector):
    """Makes the metrics anew at each scrape.

    `report()` is the status report, `newest()` the control plane's generation, `unread()` the bytes of the usage
    log that are in no batch, `leases` counts answers to the gate's asks by outcome.
    """

    def __init__(
        self,
        *,
        tally: Tally,
        shares: Shares,
        report: Callable[[], dict[str, Any]],
        newest: Callable[[], int],
        unread: Callable[[], int],
        leases: dict[str, int],
    ) -> None:
        self._tally = tally
        self._shares = shares
        self._report = report
        self._newest = newest
        self._unread = unread
        self._leases = leases

    def collect(self) -> Iterator[Metric]:
        yield from _of_stages(self._tally.stages())
        yield _counter("refused_unknown", "Calls that reached no stage.", self._tally.refused_unknown)
        report = self._report()
        yield _gauge("generation", "Newest generation that nginx runs.", report["generation"])
        yield _gauge("generation_newest", "Newest generation of the control plane.", self._newest())
        with suppress(FileNotFoundError):  # the log was rotated in this moment
            yield _gauge("usage_log_unread_bytes", "Bytes of the usage log in no batch yet.", self._unread())
        status = report["status"]
        yield _counter("garbage_lines", "Unreadable usage lines.", status.get("garbage_lines", 0))
        yield _gauge("nginx_up", "Whether nginx answers the agent.", bool(status["nginx"]))
        for place, (name, text) in _GAUGES.items():
            value = _find(status, place)
            if isinstance(value, int | float):
                yield _gauge(name, text, value)
        names = {problem["name"] for problem in status["problems"]}
        yield _gauge("problems", "Things that are wrong now; the status page names them.", len(names))
        reachable = "control plane" not in names
        yield _gauge("control_plane_up", "Whether the control plane could be reached.", reachable)
        yield from self._of_limits()

    def _of_limits(self) -> Iterator[Metric]:
        asked = CounterMetricFamily(
            "gatehouse_lease_asks", "The gate's asks for a slice of a quota.", labels=["outcome"]
        )
        for outcome, count in self._leases.items():
            asked.add_metric([outcome], count)
        yield asked
        share = GaugeMetricFamily(
            "gatehouse_throttle_share",
            "This node's part of throttles: equal part, installation and stages with a part of their own.",
            labels=["limit"],
        )
        share.add_metric(["equal"], 1.0 if self._shares.default is None else self._shares.default)
        limits = dict(self._shares.limits)
        for name, limit in sorted(limits.items()):
            if limit.share is not None and (name == "i" or name.startswith("s:")):
                share.add_metric([name], limit.share)
        yield share
        yield _gauge("divided_limits", "Throttles that nodes divide by demand now.", len(limits))


def _of_stages(stages: dict[str, StageTally]) -> Iterable[Metric]:
    labels = ["stage"]
    calls = CounterMetricFamily(
        "gatehouse_calls", "Calls, refused ones too.", labels=["stage", "status", "verdict", "canary"]
    )
    bytes_in = CounterMetricFamily("gatehouse_request_bytes", "Bytes from clients.", labels=labels)
    bytes_out = CounterMetricFamily("gatehouse_response_bytes", "Bytes to clients.", labels=labels)
    hits = CounterMetricFamily("gatehouse_cache_hits", "Calls answered from the cache.", labels=labels)
    misses = CounterMetricFamily("gatehouse_cache_misses", "Calls that the cache had not.", labels=labels)
    latency = HistogramMetricFamily("gatehouse_latency_seconds", "From call to answer.", labels=labels)
    integration = HistogramMetricFamily(
        "gatehouse_integration_latency_seconds", "Spent waiting for backends.", labels=labels
    )
    for stage, held in stages.items():
        for (status, verdict, canary), count in held.calls.items():
            calls.add_metric([stage, _STATUS[status], verdict, "true" if canary else "false"], count)
        bytes_in.add_metric([stage], held.bytes_in)
        bytes_out.add_metric([stage], held.bytes_out)
        hits.add_metric([stage], held.cache_hits)
        misses.add_metric([stage], held.cache_misses)
        latency.add_metric([stage], _buckets(held.latency_counts), held.latency_ms / 1_000)
        integration.add_metric([stage], _buckets(held.integration_counts), held.integration_ms / 1_000)
    return calls, bytes_in, bytes_out, hits, misses, latency, integration


def _buckets(counts: list[int]) -> list[tuple[str, float]]:
    """Prometheus' buckets count everything up to their bound."""
    total, found = 0, []
    for bound, count in zip((*LATENCY_BOUNDS_MS, None), counts, strict=True):
        total += count
        found.append(("+Inf" if bound is None else str(bound / 1_000), float(total)))
    return found


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"gatehouse_{name}", text, value=float(value))


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(f"gatehouse_{name}", text, value=float(value))


def _find(report: dict[str, Any], place: str) -> Any:
    value: Any = report
    for name in place.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


class MetricsServer:
    """Serves `GET /metrics`; port 0 = nowhere."""

    def __init__(self, host: str, port: int, collector: NodeCollector, problems: Problems) -> None:
        self._host = host.strip("[]")
        self._port = port
        self._problems = problems
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(collector)

    async def run(self) -> None:
        """Serve until cancelled; a port that is taken is tried again and reported."""
        app = web.Application()
        app.router.add_get("/metrics", self._answer)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        try:
            while self._port:
                try:
                    await web.TCPSite(runner, self._host, self._port).start()
                    break
                except OSError as error:
                    self._problems.report(
                        PROBLEM, f"cannot listen on {self._host}:{self._port} ({error.strerror})"
                    )
                    await asyncio.sleep(RETRY_SECONDS)
            self._problems.clear(PROBLEM)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        text = await asyncio.to_thread(generate_latest, self._registry)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})
