"""The host that decides is the host that the backend is told, and no call goes round in circles."""

from gateway.entries import Cache, Policy
from tests.gateway.world import operation, proxy


def raw(hostile, target: bytes, host: bytes) -> int:
    head = b"GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % (target, host)
    return int(hostile.node.raw(head, seconds=1).split()[1])


def told(hostile, name: bytes) -> list[bytes]:
    """What the newest request at the backend has of a header."""
    lines = hostile.backend.requests[-1][0].split(b"\r\n")
    return [line.partition(b": ")[2] for line in lines if line.lower().startswith(name.lower() + b":")]


def test_the_backend_is_told_the_host_that_was_asked_with_its_port(hostile):
    assert raw(hostile, b"/api/open/x", b"gate.test:8443") == 200
    assert told(hostile, b"X-Forwarded-Host") == [b"gate.test:8443"]
    assert raw(hostile, b"/api/open/x", b"GATE.test") == 200
    assert told(hostile, b"X-Forwarded-Host") == [b"GATE.test"]


def test_of_an_absolute_target_and_another_host_header_the_backend_is_told_the_one_that_decided(hostile):
    hostile.world.publish("shop", {"op": operation("GET", "/{proxy+}")}, at="shop.test|")
    for header in (b"evil.test", b"evil.test:80", b"shop.test.evil.test", b"xshop.test", b"shop.test:80evil"):
        hostile.backend.clear()
        if raw(hostile, b"http://shop.test/cart", header) == 200:
            assert told(hostile, b"X-Forwarded-Host") == [b"shop.test"]


def test_a_cached_answer_of_one_host_is_never_served_to_another(hostile):
    policy = Policy(cache=Cache(ttl=60, keys=["query.id"]))
    hostile.world.publish("kept", {"op": operation("GET", "/{proxy+}", policy=policy)})
    for host in ("evil.test", "gate.test", "gate.test:81"):
        answer = hostile.node.call("GET", "/kept/x?id=1", host=host)
        assert answer.headers["x-cache"] == "Miss"
        assert told(hostile, b"X-Forwarded-Host") == [host.encode()]
        assert hostile.node.call("GET", "/kept/x?id=1", host=host).headers["x-cache"] == "Hit"


def test_a_custom_domain_keeps_the_query_of_its_own_api_keys_paths(hostile):
    policy = Policy(cache=Cache(ttl=60, keys=["query.id"]))
    operations = {"op": operation("ANY", "/{proxy+}", policy=policy)}
    hostile.world.publish("own", operations, at="own.test|")
    for path in ("/api/v1/keys/authorize", "/api/v1/keys/authorize/x", "/api/v1/keys/verify"):
        for number in (1, 2):
            answer = hostile.node.call("GET", f"{path}?id={number}", host="own.test")
            assert (answer.status, answer.headers["x-cache"]) == (200, "Miss")
            assert hostile.backend.paths()[-1] == f"{path}?id={number}"


def test_a_backend_that_leads_back_to_the_gate_is_left_after_five_rounds(hostile):
    hostile.world.backend("mirror", "127.0.0.1", hostile.node.settings.port, path="/mirror")
    hostile.world.publish("mirror", {"op": operation("ANY", "/{proxy+}", integration=proxy("mirror"))})
    before = len(hostile.node.usage())
    answer = hostile.node.call("GET", "/mirror/x")
    assert answer.status == 500
    assert "a backend leads back" in answer.json["message"]
    lines = hostile.node.usage_after(before + 5)
    assert sorted(line["verdict"] for line in lines + hostile.node.usage()[before : before + 5]) == [
        "-", "-", "-", "-", "-", "API_CONFIGURATION_ERROR",
    ]  # fmt: skip


def test_one_api_may_stand_behind_another(hostile):
    hostile.world.backend("inner", "127.0.0.1", hostile.node.settings.port, path="/api/open")
    hostile.world.publish("outer", {"op": operation("ANY", "/{proxy+}", integration=proxy("inner"))})
    assert hostile.node.call("GET", "/outer/x").status == 200
    assert told(hostile, b"X-Gatehouse-Hops") == [b"2"]


def test_a_client_that_claims_rounds_only_ends_its_own_call(hostile):
    for claimed, status in (("5", 500), ("99999", 200), ("x", 200), ("-1", 200), ("4", 200)):
        answer = hostile.node.call("GET", "/api/open/x", headers={"X-Gatehouse-Hops": claimed})
        assert answer.status == status, claimed
    assert hostile.node.call("GET", "/api/secret", headers={"X-Gatehouse-Hops": "1"}).status == 403
