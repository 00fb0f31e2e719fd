import re

import pytest
from django.test import Client

from nodes.models import Node
from nodes.rebuild import rebuild
from nodes.registry import find_node
from tests.factories import make_staff, make_stage
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


@pytest.mark.parametrize(
    "page", ["nodes/node", "nodes/entry", "nodes/quotawindow", "nodes/lease", "metering/usagebatch"]
)
def test_the_lists_open(console: Client, page: str) -> None:
    use(make_row(make_stage()))
    make_node()
    rebuild()
    assert console.get(f"/admin/{page}/").status_code == 200
