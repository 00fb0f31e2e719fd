"""Where a call comes from: allowed and denied networks, a key's own networks and referrers, trusted proxies."""

import time

import pytest

from gateway.entries import IpRules, Policy
from portal.embedded.ports import free_port
from tests.gateway.node import node_folder, start_nginx, wait_until
from tests.gateway.world import World, operation

HERE, OTHER = "127.0.0.1", "127.0.0.2"


@pytest.fixture(scope="module")
def proxied(gate):
    """A node behind proxies on 127.0.0.0/8, so that a test can come from any address."""
    with node_folder() as folder:
        node = start_nginx(folder, free_port(), trusted_proxies=("127.0.0.0/8", "10.0.0.0/8"))
        world = World(node)
        world.backend("backend", "127.0.0.1", gate.backend.port)
        yield world
        node.stop()


def publish(world, name, allow=(), deny=(), **more):
    policy = Policy(ip=IpRules(allow=list(allow), deny=list(deny)))
    world.publish(name, {"op": operation("GET", "/x", **more)}, policy=policy)


def call_from(world, address, name):
    return world.node.call("GET", f"/{name}/x", headers={"X-Forwarded-For": address}).status


def test_a_denied_address_gets_awss_words_before_the_key_is_looked_at(gate):
    publish(gate.world, "denies", deny=["127.0.0.2/32"], key_required=True)
    answer = gate.node.call("GET", "/denies/x", source=OTHER)
    assert answer.status == 403
    assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"
    assert answer.json == {
        "Message": "User: anonymous is not authorized to perform: execute-api:Invoke "
        "on resource: execute-api:/live/GET/denies/x"
    }
    assert gate.node.call("GET", "/denies/x", source=HERE).json == {"message": "Forbidden"}


def test_an_unknown_path_is_not_told_to_a_denied_address(gate):
    publish(gate.world, "hidden", deny=["127.0.0.2"])
    assert "Message" in gate.node.call("GET", "/hidden/nothing", source=OTHER).json
    assert gate.node.call("GET", "/hidden/nothing", source=HERE).json == {
        "message": "Missing Authentication Token"
    }


def test_the_refusal_is_logged_by_its_verdict(gate):
    publish(gate.world, "counted", deny=["127.0.0.2"])
    before = len(gate.node.usage())
    gate.node.call("GET", "/counted/x", source=OTHER)
    line = gate.node.usage_after(before)[0]
    assert (line["verdict"], line["stage"], line["operation"]) == ("ACCESS_DENIED", "counted", "op")


def test_an_operation_with_its_own_policy_inherits_nothing(gate):
    gate.world.publish(
        "mixed",
        {"closed": operation("GET", "/closed"), "open": operation("GET", "/open", policy=Policy())},
        policy=Policy(ip=IpRules(deny=["127.0.0.0/8"])),
    )
    assert gate.node.call("GET", "/mixed/closed").status == 403
    assert gate.node.call("GET", "/mixed/open").status == 200


@pytest.mark.parametrize(
    ("allow", "deny", "address", "status"),
    [
        (["192.0.2.0/24"], [], "192.0.2.255", 200),
        (["192.0.2.0/24"], [], "192.0.3.0", 403),
        (["192.0.2.64/26"], [], "192.0.2.64", 200),
        (["192.0.2.64/26"], [], "192.0.2.127", 200),
        (["192.0.2.64/26"], [], "192.0.2.63", 403),
        (["192.0.2.64/26"], [], "192.0.2.128", 403),
        (["192.0.2.0/24"], ["192.0.2.7"], "192.0.2.7", 403),
        (["192.0.2.0/24"], ["192.0.2.7"], "192.0.2.8", 200),
        ([], ["0.0.0.0/0"], "192.0.2.1", 403),
        ([], ["0.0.0.0/0"], "2001:db8::1", 200),
        (["0.0.0.0/0"], [], "2001:db8::1", 403),
        (["2001:db8::/32"], [], "2001:db8:ffff::1", 200),
        (["2001:db8::/33"], [], "2001:db8:7fff::1", 200),
        (["2001:db8::/33"], [], "2001:db8:8000::1", 403),
        (["::/0"], [], "2001:db8::1", 200),
        (["::/0"], [], "192.0.2.1", 403),
        (["2001:db8::5"], [], "2001:DB8:0:0::5", 200),
        (["2001:db8::5"], [], "2001:db8::6", 403),
        (["::ffff:192.0.2.0/120"], [], "192.0.2.9", 200),
        (["not a network"], [], "192.0.2.9", 403),
    ],
)
def test_networks_of_both_kinds(proxied, allow, deny, address, status):
    publish(proxied, "table", allow, deny)
    assert call_from(proxied, address, "table") == status


def test_the_last_address_that_no_proxy_of_ours_wrote_is_the_client(proxied):
    publish(proxied, "chain", allow=["192.0.2.1"])
    assert call_from(proxied, "192.0.2.1, 10.1.2.3", "chain") == 200
    assert call_from(proxied, "192.0.2.1, 198.51.100.9", "chain") == 403
    answer = proxied.node.call(
        "GET", "/chain/x", headers={"X-Forwarded-For": "evil, 198.51.100.1, 192.0.2.1"}
    )
    assert answer.json["headers"]["x-forwarded-for"] == "192.0.2.1"


def test_a_trusted_proxy_says_how_the_client_came(proxied):
    publish(proxied, "came")
    headers = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "X-Forwarded-Port": "443"}
    seen = proxied.node.call("GET", "/came/x", headers=headers).json["headers"]
    assert (seen["x-forwarded-proto"], seen["x-forwarded-port"]) == ("https", "443")
    seen = proxied.node.call("GET", "/came/x", headers={"X-Forwarded-Proto": "gopher"}).json["headers"]
    assert (seen["x-forwarded-proto"], seen["x-forwarded-port"]) == ("http", str(proxied.node.settings.port))


def test_without_trusted_proxies_no_client_can_pose_as_another_address(gate):
    publish(gate.world, "poses", deny=["127.0.0.2"])
    claims = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https", "Forwarded": "for=192.0.2.1"}
    claims["X-Real-IP"] = "192.0.2.1"
    assert gate.node.call("GET", "/poses/x", source=OTHER, headers=claims).status == 403
    seen = gate.node.call("GET", "/open/x", headers=claims).json["headers"]
    assert (seen["x-forwarded-for"], seen["x-forwarded-proto"]) == ("127.0.0.1", "http")
    assert not {"forwarded", "x-real-ip"} & set(seen)


def test_a_key_is_good_only_from_its_networks(gate):
    gate.world.publish("netkey", {"op": operation("GET", "/x", key_required=True)})
    key = gate.world.subscribe("netkey", ["netkey"], ips=["127.0.0.2/32", "2001:db8::/32"])
    assert gate.node.call("GET", "/netkey/x", key=key, source=OTHER).status == 200
    answer = gate.node.call("GET", "/netkey/x", key=key, source=HERE)
    assert (answer.status, answer.json) == (403, {"message": "Forbidden"})
    wait_until(lambda: gate.node.usage()[-1]["status"] == "403", seconds=3, what="the refusal's line")
    line = gate.node.usage()[-1]
    assert (line["verdict"], line["key"], line["subscription"]) == ("INVALID_API_KEY", "key-netkey", "-")


@pytest.mark.parametrize(
    ("referrer", "status"),
    [
        ("https://app.example.com/page", 200),
        ("http://APP.example.com:8080", 200),
        ("https://deep.down.example.org/", 200),
        ("https://example.org/", 403),
        ("https://evilexample.org/", 403),
        ("https://app.example.com.evil.net/", 403),
        ("https://evil.net/app.example.com", 403),
        ("https://app.example.com@evil.net/", 403),
        ("https://user@app.example.com/", 200),
        ("app.example.com", 403),
        ("", 403),
    ],
)
def test_a_key_is_good_only_for_its_referrers(gate, referrer, status):
    gate.world.publish("refkey", {"op": operation("GET", "/x", key_required=True)})
    key = gate.world.subscribe("refkey", ["refkey"], referrers=["app.example.com", "*.example.org"])
    headers = {"Referer": referrer} if referrer else {}
    assert gate.node.call("GET", "/refkey/x", key=key, headers=headers).status == status
    if referrer and not referrer.endswith("page"):
        headers = {"Origin": referrer.rstrip("/")}
        assert gate.node.call("GET", "/refkey/x", key=key, headers=headers).status == status


def test_changed_rules_hold_at_the_next_call(gate):
    publish(gate.world, "changing")
    assert {gate.node.call("GET", "/changing/x").status for _ in range(6)} == {200}
    publish(gate.world, "changing", deny=["127.0.0.0/8"])
    started = time.monotonic()
    assert {gate.node.call("GET", "/changing/x").status for _ in range(6)} == {403}
    assert time.monotonic() - started < 1
