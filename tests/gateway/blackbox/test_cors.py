"""Calls of browsers from other origins: preflights, and the headers of answers and refusals."""

import pytest

from gateway.entries import Cors, IpRules, Policy, Throttle
from tests.gateway.world import operation, proxy

SHOP = "https://shop.example"
ALLOW = "access-control-allow-origin"


@pytest.fixture(scope="module", autouse=True)
def stages(gate):
    rules = Cors(
        origins=[SHOP, "https://*.partner.example", "http://localhost:3000"],
        methods=["GET", "PUT"],
        headers=["content-type", "x-api-key"],
        expose=["x-total"],
        max_age=600,
        credentials=True,
    )
    operations = {
        "get": operation("GET", "/item", key_required=True),
        "put": operation("PUT", "/item", key_required=True),
        "options": operation("OPTIONS", "/item"),
        "open": operation("ANY", "/open"),
        "plain": operation("GET", "/plain", policy=Policy()),
    }
    gate.world.publish("cors", operations, policy=Policy(cors=rules))
    star = Cors(origins=["*"], methods=["*"], headers=["*"])
    gate.world.publish("star", {"op": operation("ANY", "/x")}, policy=Policy(cors=star))
    both = Cors(origins=["*"], methods=["*"], headers=["*"], credentials=True)
    gate.world.publish("both", {"op": operation("ANY", "/x")}, policy=Policy(cors=both))


def preflight(gate, path="/cors/item", origin=SHOP, method="PUT", **headers):
    headers = {"Origin": origin, "Access-Control-Request-Method": method, **headers}
    return gate.node.call("OPTIONS", path, headers=headers)


def get(gate, path, origin=SHOP, **more):
    return gate.node.call("GET", path, headers={"Origin": origin} if origin else {}, **more)


def vary(answer):
    return sorted(part.strip() for part in answer.headers.get("vary", "").split(","))


def cors_headers(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control")}


def test_the_gate_answers_a_preflight_without_key_and_backend(gate):
    before = len(gate.backend.seen)
    answer = preflight(gate)
    assert (answer.status, answer.body) == (204, b"")
    assert cors_headers(answer) == {
        ALLOW: SHOP,
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "content-type, x-api-key",
        "access-control-max-age": "600",
    }
    assert vary(answer) == ["Origin"]
    assert answer.headers["x-amzn-requestid"]
    assert "server" not in answer.headers
    assert len(gate.backend.seen) == before


def test_a_preflight_is_logged_as_what_nobody_pays_for(gate):
    gate.world.publish(
        "blocked",
        {"op": operation("GET", "/x")},
        policy=Policy(cors=Cors(origins=["*"], methods=["GET"])),
        throttle=Throttle(rate=0, burst=0),
    )
    before = len(gate.node.usage())
    assert preflight(gate, "/blocked/x", method="GET").status == 204
    line = gate.node.usage_after(before)[0]
    assert (line["verdict"], line["stage"], line["operation"], line["status"]) == (
        "CORS_PREFLIGHT",
        "blocked",
        "op",
        "204",
    )


def test_an_operation_for_options_does_not_take_preflights(gate):
    assert preflight(gate, method="GET").status == 204
    answer = gate.node.call("OPTIONS", "/cors/item", headers={"Origin": SHOP})
    assert answer.json["method"] == "OPTIONS"


def test_a_preflight_for_what_is_not_there_is_an_ordinary_call(gate):
    for path, method in (("/cors/nothing", "GET"), ("/cors/item", "DELETE"), ("/cors/plain", "GET")):
        answer = preflight(gate, path, method=method)
        assert (answer.status, answer.headers.get("access-control-allow-methods")) != (204, "GET, PUT")
    assert preflight(gate, "/cors/nothing").json == {"message": "Missing Authentication Token"}


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (SHOP, True),
        ("HTTPS://Shop.Example", True),
        ("http://localhost:3000", True),
        ("https://a.partner.example", True),
        ("https://a.b.partner.example", True),
        ("https://partner.example", False),
        ("https://evilpartner.example", False),
        ("http://a.partner.example", False),
        ("https://a.partner.example.evil.net", False),
        ("https://evil.net/.partner.example", False),
        ("https://evil.net:1.partner.example", False),
        ("https://shop.example.evil.net", False),
        ("http://localhost:3001", False),
        ("http://shop.example", False),
        ("null", False),
    ],
)
def test_which_origins_are_allowed(gate, origin, allowed):
    for answer in (preflight(gate, origin=origin), get(gate, "/cors/open", origin)):
        assert answer.status < 300
        assert cors_headers(answer).get(ALLOW) == (origin if allowed else None)
        assert allowed or cors_headers(answer) == {}
        assert vary(answer) == ["Origin"]


def test_the_gates_headers_take_the_place_of_the_backends(gate):
    path = "/cors/open?header=Access-Control-Allow-Origin:*&header=Access-Control-Allow-Methods:TRACE"
    answer = get(gate, path + "&header=Vary:Accept&header=access-control-expose-headers:x-secret")
    assert cors_headers(answer) == {
        ALLOW: SHOP,
        "access-control-allow-credentials": "true",
        "access-control-expose-headers": "x-total",
    }
    assert vary(answer) == ["Accept", "Origin"]
    assert cors_headers(get(gate, path, origin="")) == {}


def test_without_rules_the_backends_headers_pass(gate):
    path = "/cors/plain?header=Access-Control-Allow-Origin:*"
    assert cors_headers(get(gate, path)) == {ALLOW: "*"}


def test_refusals_can_be_read_by_the_page_too(gate):
    for path, status in (("/cors/item", 403), ("/cors/nothing", 403)):
        answer = get(gate, path)
        assert (answer.status, cors_headers(answer)[ALLOW]) == (status, SHOP)
        assert vary(answer) == ["Origin"]


def test_errors_of_the_backend_can_be_read_by_the_page_too(gate):
    gate.world.backend("gone", "127.0.0.1", 1)
    gate.world.publish(
        "broken",
        {"op": operation("GET", "/x", integration=proxy("gone"))},
        policy=Policy(cors=Cors(origins=[SHOP], methods=["GET"])),
    )
    answer = get(gate, "/broken/x")
    assert (answer.status, cors_headers(answer)[ALLOW]) == (502, SHOP)


def test_a_star_without_credentials_stays_a_star(gate):
    answer = preflight(
        gate, "/star/x", "https://any.where", **{"Access-Control-Request-Headers": "x-a, Authorization"}
    )
    assert cors_headers(answer) == {
        ALLOW: "*",
        "access-control-allow-methods": "*",
        "access-control-allow-headers": "x-a, Authorization",
    }
    assert vary(answer) == ["Access-Control-Request-Headers"]
    assert cors_headers(get(gate, "/star/x", "https://any.where")) == {ALLOW: "*"}
    assert "vary" not in get(gate, "/star/x", "https://any.where").headers


def test_with_credentials_no_star_is_sent(gate):
    answer = preflight(gate, "/both/x", "https://any.where", method="PATCH")
    assert cors_headers(answer) == {
        ALLOW: "https://any.where",
        "access-control-allow-credentials": "true",
        "access-control-allow-methods": "PATCH",
    }
    assert vary(answer) == ["Origin"]


def test_what_a_page_asks_for_cannot_break_out_of_a_header(gate):
    answer = preflight(gate, "/star/x", **{"Access-Control-Request-Headers": 'x-a, "<b>;', "Origin": "a\tb"})
    assert answer.headers["access-control-allow-headers"] == "x-a, b"


def test_a_denied_address_gets_no_preflight(gate):
    policy = Policy(cors=Cors(origins=["*"], methods=["GET"]), ip=IpRules(deny=["127.0.0.0/8"]))
    gate.world.publish("denied", {"op": operation("GET", "/x")}, policy=policy)
    answer = preflight(gate, "/denied/x", method="GET")
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (403, "AccessDeniedException")
