"""Metrics of the control plane in Prometheus' text format: counts, nodes and their lag, bills. Cheap queries only."""

from collections.abc import Iterator
from typing import Any

from django.core.cache import cache
from django.db.models import Case, CharField, Count, Func, IntegerField, Min, QuerySet, When
from django.db.models.fields.json import KeyTransform
from django.utils.timezone import now
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from billing.models import Invoice
from metering.models import UsageBatch, UsageGap, UsageReconciliation
from metering.reconcile import AGAIN
from nodes.entries import newest_generation
from nodes.models import Entry, Node
from nodes.queries import SEEN_WITHIN

# what reads a whole table is asked this seldom (seconds)
SELDOM = 60
_CACHED = "portal.metrics.seldom"


class PortalCollector(Collector):
    """Asks the database anew at each scrape; five queries, two of them once a minute."""

    def collect(self) -> Iterator[Metric]:
        yield from _usage()
        yield from _nodes()
        seldom = cache.get_or_set(_CACHED, _seldom, SELDOM) or _seldom()
        yield _gauge(
            "entries_with_problems", "Things whose newest state nodes cannot get.", seldom["problems"]
        )
        yield _gauge("usage_gaps_open", "Ranges of usage batches that never came.", seldom["gaps"])
        yield _gauge(
            "usage_unreconciled_calls",
            "Calls of the last days that were reported and are neither counted, rejected nor waiting.",
            seldom["unreconciled"],
        )
        invoices = GaugeMetricFamily("gatehouse_invoices", "Invoices by state.", labels=["state"])
        for state, count in sorted(seldom["invoices"].items()):
            invoices.add_metric([state], count)
        yield invoices


def text() -> bytes:
    """Return all metrics as text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(PortalCollector())
    return generate_latest(registry)


def _usage() -> Iterator[Metric]:
    at = now()
    waiting = UsageBatch.objects.filter(processed_at__isnull=True).aggregate(
        count=Count("pk"), oldest=Min("received_at")
    )
    yield _gauge("usage_batches_pending", "Usage batches that wait to be added up.", waiting["count"])
    oldest = waiting["oldest"]
    age = max(0.0, (at - oldest).total_seconds()) if oldest else 0.0
    yield _gauge("usage_oldest_pending_seconds", "Age of the oldest batch that waits; 0 = none does.", age)
    newest = UsageBatch.objects.order_by("-pk").values_list("received_at", flat=True).first()
    if newest:
        age = max(0.0, (at - newest).total_seconds())
        yield _gauge("usage_newest_batch_age_seconds", "Since a node last brought usage.", age)


def _nodes() -> Iterator[Metric]:
    newest, at = newest_generation(), now()
    yield _gauge("generation_newest", "Generation of the newest entry.", newest)
    families = {
        "up": "Whether the node was seen within the last seconds.",
        "seen_age_seconds": "Since the node last said something.",
        "generation": "Newest generation that the node runs.",
        "generation_lag": "Generations that the node is behind.",
        "problems": "Things that the node says are wrong.",
    }
    found = {
        name: GaugeMetricFamily(f"gatehouse_node_{name}", words, labels=["node"])
        for name, words in families.items()
    }
    for node in _reporting():
        labels = [node.name]
        age = (at - node.last_seen_at).total_seconds() if node.last_seen_at else None
        found["up"].add_metric(labels, age is not None and age <= SEEN_WITHIN.total_seconds())
        if age is not None:
            found["seen_age_seconds"].add_metric(labels, max(0.0, age))
        found["generation"].add_metric(labels, node.generation)
        found["generation_lag"].add_metric(labels, max(0, newest - node.generation))
        found["problems"].add_metric(labels, node.told)  # type: ignore[attr-defined]
    yield from found.values()


def _reporting() -> QuerySet[Node]:
    """Nodes with the length of the list of problems in their report, whatever a node may have put there."""
    kind = Func(KeyTransform("problems", "status"), function="jsonb_typeof", output_field=CharField())
    length = Func(
        KeyTransform("problems", "status"), function="jsonb_array_length", output_field=IntegerField()
    )
    told = Case(When(kind="array", then=length), default=0)
    return Node.objects.filter(enabled=True).defer("status").annotate(kind=kind).annotate(told=told)


def _reconciled() -> dict[str, int]:
    recent = UsageReconciliation.objects.filter(day__gte=now().date() - AGAIN)
    return {
        "gaps": UsageGap.objects.filter(closed_at__isnull=True).count(),
        "unreconciled": sum(abs(account.difference) for account in recent),
    }


def _seldom() -> dict[str, Any]:
    states = Invoice.objects.order_by().values_list("state").annotate(count=Count("pk"))
    return {"problems": Entry.objects.exclude(problem="").count(), "invoices": dict(states), **_reconciled()}


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"gatehouse_{name}", words, value=float(value))
