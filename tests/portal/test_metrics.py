"""What a monitoring system reads of the control plane, and who may read it."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils.timezone import now
from prometheus_client.parser import text_string_to_metric_families

from metering.models import UsageBatch
from nodes.models import Entry
from tests.factories import make_user
from tests.metering.factories import make_batch
from tests.nodes.factories import make_node

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-the-operators-choice"


@pytest.fixture(autouse=True)
def fresh():
    cache.clear()


@pytest.fixture
def read(client, settings):
    """Read all samples as a monitoring system does: (name, label values) -> value."""
    settings.METRICS_TOKEN = TOKEN

    def read():
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.status_code == 200
        assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
        return {
            (sample.name.removeprefix("gatehouse_"), *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(answer.content.decode())
            for sample in family.samples
        }

    return read


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong-token-of-somebody", f"Basic {TOKEN}"])
def test_nobody_reads_metrics_without_the_token(client, settings, given):
    settings.METRICS_TOKEN = TOKEN
    answer = client.get("/metrics", headers={"Authorization": given} if given else {})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="Gatehouse metrics"')
    assert b"gatehouse_" not in answer.content


def test_no_token_set_lets_no_token_in(client, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 401


def test_staff_who_may_see_nodes_read_metrics_in_the_browser(client):
    client.force_login(make_user(is_staff=True))
    assert client.get("/metrics").status_code == 401
    client.force_login(make_user(is_staff=True, is_superuser=True))
    assert client.get("/metrics").status_code == 200


def test_waiting_usage_and_its_age_are_told(read):
    assert read()["usage_batches_pending",] == 0
    for minutes, done in ((9, True), (4, False), (1, False)):
        at = now() - timedelta(minutes=minutes)
        batch = make_batch()
        UsageBatch.objects.create(
            node_id="n",
            spool="s",
            sequence=batch["sequence"],
            node_clock=at,
            rows=[],
            received_at=at,
            processed_at=at if done else None,
        )
    found = read()
    assert found["usage_batches_pending",] == 2
    assert found["usage_oldest_pending_seconds",] == pytest.approx(240, abs=5)
    assert found["usage_newest_batch_age_seconds",] == pytest.approx(60, abs=5)


def test_nodes_tell_whether_they_are_up_and_how_far_behind(read):
    Entry.objects.create(kind="key", key="k", generation=50, data={})
    make_node(name="one", generation=48, status={"problems": [{"name": "disk"}, {"name": "memory"}]})
    make_node(
        name="two", generation=50, status={"problems": "nonsense"}, last_seen_at=now() - timedelta(hours=1)
    )
    make_node(name="new", last_seen_at=None)
    make_node(name="off", enabled=False)
    found = read()
    assert {name: found["node_up", name] for name in ("one", "two", "new")} == {"one": 1, "two": 0, "new": 0}
    assert (found["node_generation_lag", "one"], found["node_generation_lag", "two"]) == (2, 0)
    assert (found["node_problems", "one"], found["node_problems", "two"]) == (2, 0)
    assert found["node_seen_age_seconds", "two"] == pytest.approx(3600, abs=5)
    assert ("node_seen_age_seconds", "new") not in found
    assert ("node_up", "off") not in found


def test_entries_with_problems_are_counted(read):
    Entry.objects.create(kind="stage", key="a", generation=1, data={}, problem="too large")
    Entry.objects.create(kind="stage", key="b", generation=2, data={})
    assert read()["entries_with_problems",] == 1


def test_a_scrape_asks_few_queries(read, django_assert_max_num_queries):
    for _ in range(5):
        make_node()
    with django_assert_max_num_queries(8):
        read()
    with django_assert_max_num_queries(4):
        read()
