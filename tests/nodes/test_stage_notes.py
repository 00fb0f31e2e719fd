"""What a stage's page tells of the nodes."""

import pytest

from nodes.stage_notes import notes
from tests.factories import make_stage
from tests.nodes.factories import make_node

pytestmark = pytest.mark.django_db


def test_a_stage_page_tells_where_it_is_live_and_which_node_refused_it():
    stage = make_stage()
    other = {"name": "entry backend b1", "text": "bad"}
    make_node(
        name="berlin", status={"problems": [{"name": f"entry stage {stage.pk}", "text": "no trie"}, other]}
    )
    make_node(name="paris", status={"problems": "nonsense"})
    assert notes(stage) == [("Live on", "0 of 2 nodes that are up"), ("Node berlin", "no trie")]


def test_the_page_of_a_node_lists_its_problems(admin_client):
    node, _ = make_node(status={"problems": [{"name": "control plane", "text": "unreachable <b>"}]})
    shown = admin_client.get(f"/admin/nodes/node/{node.pk}/change/").content.decode()
    assert "unreachable &lt;b&gt;" in shown
