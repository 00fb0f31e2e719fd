"""A gateway that asks keys/authorize is not led to a yes by what its client sends along."""

import json

import pytest

from gateway.entries import Api, Throttle
from tests.gateway.desk import STRANGER, TOKEN, Desk, told
from tests.gateway.world import make_key

HERE = "/api/v1/keys/authorize"


@pytest.fixture
def desk(hostile) -> Desk:
    return Desk(hostile)


def test_a_client_with_a_token_of_her_own_organization_cannot_be_judged_by_it(desk):
    victim = desk.sell("victim")
    own = desk.sell("own", about=told(providers=["stranger01"]), stage={"organization": "stranger01"})
    # what she provides herself has the id that the victim's gateway asks for only in her eyes
    desk.world.put("api", "~mine", Api("mine", "mine", "stranger01", {own.name: ["live", "v1", "v1"]}))
    path = f"{HERE}?api=mine"
    asking = {"X-Gatehouse-Token": TOKEN}
    assert desk.node.call("GET", path, key=own.key, headers=asking).status == 401
    for headers in (
        {"Authorization": f"Bearer {STRANGER}", "X-Gatehouse-Token": TOKEN},
        {"Authorization": f"Bearer {TOKEN}", "X-Gatehouse-Token": STRANGER},
        {"Authorization": f"Bearer {TOKEN}", "X-Gatehouse-Token": "x"},
    ):
        for _ in range(3):
            for query, key in ((path, own.key), (f"{HERE}?api={victim.name}", victim.key)):
                answer = desk.node.call("GET", query, key=key, headers=headers)
                assert answer.status == 401
                assert "one token" in answer.json["detail"]
    assert desk.node.call("GET", f"{HERE}?api={victim.name}", key=victim.key, headers=asking).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/../verify",
        "/orders/../../verify",
        "/%2e%2e/verify",
        "/orders/..%2f../verify",
        "/x/../../authorize/../verify",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_path_of_the_client_leads_from_authorize_to_verify(desk, path, method):
    body = json.dumps({"key": make_key()}).encode()
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "X-Gatehouse-Api": "victim/v1?mode=check",
        "Content-Type": "application/json",
    }
    answer = desk.node.call(method, HERE + path, headers=headers, body=body)
    assert 400 <= answer.status < 500
    assert b'"valid"' not in answer.body


@pytest.mark.parametrize("path", ["/x/../?", "/x/..?", "/../authorize?", "/./?", "/.?", "/%2e?"])
def test_no_path_of_the_client_makes_her_query_the_gateways(desk, path):
    sold = desk.sell("strict", operation={"throttle": Throttle(1, 1)})
    free = desk.sell("free")
    headers = {"Authorization": f"Bearer {TOKEN}", "X-Gatehouse-Api": f"{sold.name}/v1?mode=consume"}
    answer = desk.node.call("GET", f"{HERE}{path}api={free.name}&mode=check", key=free.key, headers=headers)
    assert answer.status in (400, 401, 403)


@pytest.mark.parametrize("path", ["ed", "-policies/1", "%2Forders", "%3Fapi=free"])
def test_what_only_begins_like_authorize_is_another_path(desk, path):
    answer = desk.node.call("GET", HERE + path, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 403
    assert answer.json == {"message": "Missing Authentication Token"}
