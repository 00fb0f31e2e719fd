"""The number by which a node compares its entries with ours."""

import pytest
from django.test import Client

from gateway.agent.drift import digest
from nodes import entries
from nodes.models import Entry
from tests.nodes.factories import make_node, signed_in

pytestmark = pytest.mark.django_db


def test_both_sides_compute_the_same_number() -> None:
    for number, data in enumerate(({}, {"a": 1}, None, {"ü": "é"}), start=1):
        entries.write(kind="key", key=f"clé-{number}", organization=None, data={"id": "x"})
        if data is None:
            entries.write(kind="key", key=f"clé-{number}", organization=None, data=None)
    rows = Entry.objects.filter(data__isnull=False).values_list("kind", "key", "generation")
    found = entries.digest()
    assert (found.count, int(found.digest)) == (3, digest(rows))
    assert found.generation == entries.newest_generation()


def test_without_entries_the_number_is_zero() -> None:
    assert entries.digest() == entries.Digest(0, 0, "0")


def test_a_node_asks_for_it_with_its_token(client: Client) -> None:
    _, token = make_node()
    entries.write(kind="key", key="one", organization=None, data={"id": "x"})
    assert client.get("/nodes/v1/digest").status_code == 401
    answer = client.get("/nodes/v1/digest", headers=signed_in(token)).json()
    assert answer["count"] == 1
    assert answer["generation"] == entries.newest_generation()
    assert answer["digest"].isdigit()
