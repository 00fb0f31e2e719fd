import gzip
import json
from dataclasses import asdict
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from gateway.batches import Row
from gateway.entries import Entry
from metering.models import UsageBatch
from nodes import entries, registry
from nodes.rebuild import rebuild
from tests.factories import make_key, make_plan, make_stage, make_subscription
from tests.metering.factories import make_batch, make_row
from tests.nodes.factories import make_node, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.nodes.urls")]
BASE = "/nodes/v1/"


@pytest.fixture
def signed() -> dict[str, str]:
    return signed_in(make_node()[1])


def post(client: Client, path: str, body: Any, headers: dict[str, str]) -> Any:
    return client.post(BASE + path, body, content_type="application/json", headers=headers)


@pytest.mark.parametrize("path", ["leases", "leases/return", "usage", "status"])
@pytest.mark.parametrize("token", ["", "Bearer nonsense", "Basic abc", "Bearer ghn_" + "a" * 32 + "_000000"])
def test_nobody_enters_without_a_nodes_token(client: Client, path: str, token: str) -> None:
    answer = post(client, path, {}, {"Authorization": token})
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json()["title"] == "Not signed in"


def test_a_disabled_node_is_refused(client: Client) -> None:
    node, token = make_node()
    assert client.get(BASE + "entries", headers=signed_in(token)).status_code == 200
    registry.disable_node(node=node, actor=None)
    assert client.get(BASE + "entries", headers=signed_in(token)).status_code == 401
    registry.enable_node(node=node, actor=None)
    assert client.get(BASE + "entries", headers=signed_in(token)).status_code == 200


def test_the_wrong_method_names_the_right_one(client: Client, signed: dict[str, str]) -> None:
    answer = client.get(BASE + "usage", headers=signed)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_a_node_gets_what_it_does_not_have(client: Client, signed: dict[str, str]) -> None:
    make_key(make_subscription(plan=make_plan(make_stage())).application)
    rebuild()
    first = client.get(BASE + "entries?after=0", headers=signed).json()
    assert (first["generation"], first["more"], first["full"]) == (entries.newest_generation(), False, True)
    assert {Entry.from_dict(entry).kind for entry in first["entries"]} >= {
        "stage",
        "plan",
        "subscription",
        "key",
    }
    then = client.get(f"{BASE}entries?after={first['generation']}&wait=0", headers=signed).json()
    assert then == {"generation": first["generation"], "entries": [], "more": False, "full": False}


@pytest.mark.parametrize("query", ["after=-1", "after=x", "after=1&wait=1.5", "after=" + "9" * 30])
def test_an_odd_question_is_a_clear_error(client: Client, query: str, signed: dict[str, str]) -> None:
    answer = client.get(f"{BASE}entries?{query}", headers=signed)
    assert answer.status_code == 400
    assert "must be a whole number" in answer.json()["detail"]


def test_a_lease_and_its_return(client: Client, signed: dict[str, str]) -> None:
    subscription = make_subscription(plan=make_plan(quota_limit=100))
    ask = {"subscription": subscription.pk, "want": 10, "offline_spent": 0, "request": "abc"}
    grant = post(client, "leases", ask, signed).json()
    assert (grant["granted"], grant["limit"], grant["left"]) == (10, 100, 90)
    back = {
        "subscription": subscription.pk,
        "starts_at": float(grant["starts_at"]),
        "units": 4,
        "request": "x",
    }
    assert post(client, "leases/return", back, signed).json() == {"returned": 4}
    assert post(client, "leases/return", back, signed).json() == {"returned": 4}
    assert post(client, "leases", ask | {"request": "def", "want": 1}, signed).json()["left"] == 93


def test_there_is_no_lease_for_what_has_no_quota(client: Client, signed: dict[str, str]) -> None:
    answer = post(client, "leases", {"subscription": make_subscription().pk, "want": 1}, signed)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "subscription must be"),
        ({"subscription": "s", "want": 0}, "want must be"),
        ({"subscription": "s", "want": True}, "want must be"),
        ({"subscription": "s", "want": 1, "offline_spent": -1}, "offline_spent must be"),
        ({"subscription": "s", "want": 1, "request": 5}, "request must be"),
        ({"subscription": "s\0", "want": 1}, "subscription must be"),
        ([1], "must be a JSON object"),
    ],
)
def test_an_odd_ask_for_a_lease_is_a_clear_error(
    client: Client, body: Any, detail: str, signed: dict[str, str]
) -> None:
    answer = post(client, "leases", body, signed)
    assert answer.status_code == 400
    assert detail in answer.json()["detail"]


def test_a_batch_is_taken_once_and_counts_for_its_own_node(client: Client) -> None:
    (one, token), (other, other_token) = make_node(), make_node()
    batch = make_batch(asdict(Row(**make_row(make_stage()))))
    first = post(client, "usage", batch, signed_in(token))
    assert (first.status_code, first.json()) == (201, {"accepted": True})
    again = post(client, "usage", batch, signed_in(token))
    assert (again.status_code, again.json()) == (200, {"accepted": False, "reason": "already have it"})
    assert post(client, "usage", batch, signed_in(other_token)).status_code == 201
    assert set(UsageBatch.objects.values_list("node_id", flat=True)) == {one.pk, other.pk}
    # whoever it says it is, a node writes its own counts only
    assert post(client, "usage", batch | {"node_id": other.pk}, signed_in(token)).status_code == 400


def test_a_batch_may_be_compressed(client: Client, signed: dict[str, str]) -> None:
    body = gzip.compress(json.dumps(make_batch(make_row("stage00001"))).encode())
    headers = signed | {"Content-Encoding": "gzip"}
    answer = client.post(BASE + "usage", body, content_type="application/json", headers=headers)
    assert answer.status_code == 201


def test_a_body_that_is_too_large_or_broken_is_refused(
    client: Client, signed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = signed | {"Content-Encoding": "gzip"}
    huge = b"[" * 2_000_000
    answer = client.post(BASE + "status", huge, content_type="application/json", headers=signed)
    assert answer.status_code == 413
    bomb = gzip.compress(huge)
    answer = client.post(BASE + "status", bomb, content_type="application/json", headers=packed)
    assert answer.status_code == 413
    for body, headers in (
        (b"{", signed),
        (b"no gzip", packed),
        (b"\xff\xfe", signed),
        (b"[" * 100_000, signed),
    ):
        answer = client.post(BASE + "usage", body, content_type="application/json", headers=headers)
        assert answer.status_code == 400


def test_a_batch_that_can_never_be_used_says_why(client: Client, signed: dict[str, str]) -> None:
    answer = post(client, "usage", make_batch(make_row("stage00001") | {"calls": -1}), signed)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("rows[0]: calls must be")


def test_a_status_is_kept_and_answered_with_the_newest_generation(client: Client) -> None:
    node, token = make_node(last_seen_at=None)
    make_stage()
    rebuild()
    said = {"generation": 1, "version": "0.1", "status": {"spool_bytes": 5}}
    answer = post(client, "status", said, signed_in(token))
    assert answer.json() == {"generation": entries.newest_generation(), "wanted": []}
    node.refresh_from_db()
    assert (node.generation, node.version, node.status) == (1, "0.1", {"spool_bytes": 5})
    assert node.last_seen_at is not None


def test_without_the_database_a_node_is_told_to_try_again(
    client: Client, signed: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_: Any) -> None:
        raise OperationalError("connection refused at 10.0.0.1")

    monkeypatch.setattr(entries, "snapshot", broken)
    answer = client.get(BASE + "entries", headers=signed)
    assert answer.status_code == 503
    assert "10.0.0.1" not in answer.content.decode()
