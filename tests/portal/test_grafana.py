"""The Grafana dashboards in deploy/grafana/ ask only for metrics and labels that nodes or the portal have."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from metering.models import UsageBatch
from portal.metrics import text
from tests.factories import make_organization
from tests.gateway.agent.test_metrics import collector, counted
from tests.metering.factories import make_batch
from tests.nodes.factories import make_node
from tests.rest.factories import make_invoice

pytestmark = pytest.mark.django_db
BOARDS = sorted((Path(__file__).parents[2] / "deploy" / "grafana").glob("*.json"))


def told() -> dict[str, set[str]]:
    """Name of each sample -> its labels."""
    cache.clear()
    make_node(name="one")
    organization = make_organization()
    make_invoice(organization, organization)
    batch = make_batch()
    UsageBatch.objects.create(
        node_id="n", spool="s", sequence=batch["sequence"], node_clock="2026-11-18T12:00Z", rows=[]
    )
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector(counted()))
    found: dict[str, set[str]] = {}
    for part in (text().decode(), generate_latest(registry).decode()):
        for family in text_string_to_metric_families(part):
            for sample in family.samples:
                found.setdefault(sample.name, set()).update(sample.labels)
    return found


def expressions(board: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in board["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_board_asks_for_what_is_told(path: Path) -> None:
    known, board = told(), json.loads(path.read_text())
    asked = " ".join([*expressions(board), *(str(each["query"]) for each in board["templating"]["list"])])
    names = set(re.findall(r"gatehouse_\w+", asked))
    assert names - set(known) == set()
    for name, given in re.findall(r"(gatehouse_\w+)\{([^}]*)\}", asked):
        assert set(re.findall(r"(\w+)[=!]", given)) - known[name] == set()
    panels = board["panels"]
    assert len({each["id"] for each in panels}) == len(panels)
    assert all(each["gridPos"]["x"] + each["gridPos"]["w"] <= 24 for each in panels)
