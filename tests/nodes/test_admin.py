import re

import pytest
from django.test import Client
from django.urls import reverse

from nodes.leases import lease
from nodes.models import Entry, Node, QuotaWindow
from nodes.queries import quota_state
from nodes.rebuild import rebuild
from nodes.registry import find_node
from tests.factories import make_plan, make_staff, make_stage, make_subscription
from tests.metering.factories import make_row, use
from tests.nodes.factories import make_node

pytestmark = pytest.mark.django_db


@pytest.fixture
def console(client: Client) -> Client:
    client.force_login(make_staff())
    return client


def test_a_node_is_made_with_a_token_that_is_shown_once(console: Client) -> None:
    answer = console.post("/admin/nodes/node/add/", {"name": "gateway-1"}, follow=True)
    token = re.search(r"ghn_\w+", answer.content.decode())
    assert token is not None
    assert find_node(token[0]) == Node.objects.get(name="gateway-1")
    assert token[0] not in console.get("/admin/nodes/node/").content.decode()


def test_a_node_is_disabled_by_an_action(console: Client) -> None:
    node, token = make_node()
    console.post("/admin/nodes/node/", {"action": "disable", "_selected_action": node.pk})
    assert find_node(token) is None


def test_a_nodes_page_tells_its_state_and_has_nothing_to_save(console: Client) -> None:
    node, _ = make_node(status={"problems": [{"name": "memory", "text": "no room"}], "usage_lines": 1_234})
    page = console.get(f"/admin/nodes/node/{node.pk}/change/").content.decode()
    for text in ("no room", "1,234", "load balancer", "down"):
        assert text in page
    assert 'name="_save"' not in page


@pytest.mark.parametrize(
    "page",
    [
        "nodes/node",
        "nodes/entry",
        "nodes/quotawindow",
        "nodes/lease",
        "metering/usagebatch",
    ],
)
def test_the_lists_open(console: Client, page: str) -> None:
    use(make_row(make_stage()))
    make_node()
    rebuild()
    assert console.get(f"/admin/{page}/").status_code == 200


def test_the_remaining_calls_are_set_on_a_windows_page(console: Client) -> None:
    subscription, (node, _) = make_subscription(plan=make_plan(quota_limit=100)), make_node()
    lease(node=node, subscription_id=subscription.pk, want=5)
    window = QuotaWindow.objects.get()
    assert console.get("/admin/nodes/quotawindow/").status_code == 200
    page = reverse("admin:nodes_quotawindow_set_remaining_page", args=[window.pk])
    assert "remaining" in console.get(page).content.decode()
    assert console.post(page, {"remaining": "-1"}).status_code == 200
    assert console.post(page, {"remaining": "7"}).status_code == 302
    state = quota_state(subscription.pk)
    assert state is not None
    assert state.limit is not None
    assert state.limit - state.leased == 7


def test_the_installation_is_limited_once(console: Client) -> None:
    assert console.get("/admin/nodes/installation/")["Location"] == "/admin/nodes/installation/add/"
    half = {"throttle_rate": "500", "throttle_burst": ""}
    assert "needs a burst" in console.post("/admin/nodes/installation/add/", half).content.decode()
    console.post("/admin/nodes/installation/add/", {"throttle_rate": "500", "throttle_burst": "900"})
    assert Entry.objects.get(kind="installation").data == {"throttle": {"rate": 500.0, "burst": 900}}
    assert console.get("/admin/nodes/installation/add/")["Location"] == "/admin/nodes/installation/1/change/"
    assert console.get("/admin/nodes/installation/")["Location"] == "/admin/nodes/installation/1/change/"
    console.post("/admin/nodes/installation/1/change/", {"throttle_rate": "", "throttle_burst": ""})
    assert Entry.objects.get(kind="installation").data is None
