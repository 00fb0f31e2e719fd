"""The nodes' page of the installation's staff."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from tests.factories import make_staff
from tests.nodes.factories import make_node
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db


def look(query: str = "") -> str:
    return signed_in(make_staff()).get(reverse("nodes") + query).content.decode()


def test_without_nodes_it_says_how_to_get_one() -> None:
    assert "No nodes yet" in look()


def test_each_node_says_how_it_is() -> None:
    status = {
        "calls_per_second": 12.5,
        "nginx": {"connections": 7, "free_bytes": 2**20, "capacity_bytes": 2**21},
    }
    make_node(name="gate-1", version="nginx 1.22", generation=5, status=status)
    make_node(name="gate-2", last_seen_at=now() - timedelta(hours=1))
    page = look()
    for words in ("gate-1", "nginx 1.22", "12.5", "1.0 MiB", "of 2.0 MiB", "1 of 2", "Silent since"):
        assert words in page
    part = look("?fragment=1")
    assert "gate-2" in part
    assert "<html" not in part


def test_a_node_is_disabled_and_enabled() -> None:
    node, _ = make_node(name="gate-1")
    staff = signed_in(make_staff())
    assert "Drain it first" in staff.get(reverse("node-disable", args=[node.pk])).content.decode()
    staff.post(reverse("node-disable", args=[node.pk]))
    node.refresh_from_db()
    assert not node.enabled
    staff.post(reverse("node-enable", args=[node.pk]))
    node.refresh_from_db()
    assert node.enabled
