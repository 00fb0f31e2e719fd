"""Where a stage takes the key from. The place is exclusive, and the backend never sees the key."""

import pytest

from gateway.entries import KeySource
from tests.gateway.node import wait_until
from tests.gateway.world import operation, proxy


@pytest.fixture(scope="module")
def key(gate):
    """A key for stages that take it from four places; each has a keyed and a keyless operation."""
    sources = {
        "bear": KeySource(place="bearer", name=""),
        "ask": KeySource(place="query", name="api key"),
        "head": KeySource(place="header", name="Ocp-Apim_Key"),
        "none": KeySource(place="authorizer", name=""),
    }
    for name, source in sources.items():
        operations = {
            "closed": operation("GET", "/x", key_required=True),
            "free": operation("GET", "/free"),
        }
        gate.world.publish(name, operations, key_source=source)
    return gate.world.subscribe("sources", list(sources))


def call(gate, path, headers=None, **more):
    return gate.node.call("GET", path, headers=headers or {}, **more)


def assert_hidden(key, answer):
    """The call passed, and the backend saw no key."""
    assert answer.status == 200, answer.body
    assert key not in str(answer.json)
    assert answer.json["headers"]["x-gatehouse-key"] == "key-sources"


def test_a_bearer_token(gate, key):
    assert_hidden(key, call(gate, "/bear/x", {"Authorization": f"Bearer {key}"}))
    assert_hidden(key, call(gate, "/bear/x", {"authorization": f"bearer {key} "}))
    assert "authorization" not in call(gate, "/bear/x", {"Authorization": f"Bearer {key}"}).json["headers"]
    for value in (key, f"Basic {key}", f"Bearer {key}x", f"Bearer {key} {key}", "Bearer", ""):
        assert call(gate, "/bear/x", {"Authorization": value}).status == 403, value


def test_a_query_parameter_and_the_rest_of_the_query_stays(gate, key):
    answer = call(gate, f"/ask/x?a=1&api%20key={key}&b=%20&b=3&c")
    assert_hidden(key, answer)
    assert answer.json["path"] == "/x?a=1&b=%20&b=3&c"
    assert_hidden(key, call(gate, f"/ask/x?api+key={key}"))
    assert call(gate, f"/ask/x?%61pi+key={key}").json["path"] == "/x"
    assert call(gate, f"/ask/x?api%20key=&api%20key={key}").status == 403
    assert call(gate, f"/ask/x?API+key={key}").status == 403
    assert call(gate, "/ask/x?api+key").status == 403


def test_a_second_key_in_the_query_is_removed_too(gate, key):
    answer = call(gate, f"/ask/x?api+key={key}&api%20key={key}&z=1")
    assert_hidden(key, answer)
    assert answer.json["path"] == "/x?z=1"


@pytest.mark.parametrize("name", ["Ocp-Apim-Key", "ocp-apim-key", "OCP_APIM_KEY", "ocp-apim_key"])
def test_a_header_of_any_name(gate, key, name):
    answer = call(gate, "/head/x", {name: key})
    assert_hidden(key, answer)
    assert name.lower() not in answer.json["headers"]


def test_the_place_is_exclusive(gate, key):
    for stage in ("bear", "ask", "head"):
        answer = gate.node.call("GET", f"/{stage}/x", key=key)
        assert (answer.status, answer.json) == (403, {"message": "Forbidden"}), stage
    assert call(gate, "/bear/x", {"Ocp-Apim-Key": key}).status == 403
    assert call(gate, "/head/x", {"Authorization": f"Bearer {key}"}).status == 403
    assert call(gate, f"/head/x?api+key={key}").status == 403


def test_an_operation_without_a_key_does_not_pass_one_on(gate, key):
    for path, headers in (
        ("/bear/free", {"Authorization": f"Bearer {key}"}),
        (f"/ask/free?api+key={key}", {}),
        ("/head/free", {"Ocp-Apim-Key": key}),
    ):
        answer = call(gate, path, headers)
        assert answer.status == 200
        assert key not in str(answer.json)
        assert "x-gatehouse-key" not in answer.json["headers"]


def test_a_token_that_is_no_key_of_ours_passes_where_no_key_is_needed(gate, key):
    headers = {"Authorization": "Bearer some.body.else"}
    assert call(gate, "/bear/free", headers).json["headers"]["authorization"] == "Bearer some.body.else"


def test_without_an_authorizer_nobody_can_set_the_key(gate, key):
    answer = gate.node.call("GET", "/none/x", key=key)
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})
    assert answer.headers["x-amzn-errortype"] == "ApiConfigurationException"
    assert call(gate, "/none/free").status == 200


def test_no_log_of_nginx_tells_a_key_from_the_query(gate, key):
    gate.world.backend("nobody", "127.0.0.1", 1)
    gate.world.publish(
        "logged",
        {"op": operation("GET", "/x", key_required=True, integration=proxy("nobody"))},
        key_source=KeySource(place="query", name="key"),
        access_log="$context.path $context.status",
    )
    key = gate.world.subscribe("logged", ["logged"])
    before = len(gate.node.errors())
    assert call(gate, f"/logged/x?a=1&key={key}&key={key}&key=*").status == 502
    wait_until(lambda: "connect() failed" in gate.node.errors()[before:], seconds=3, what="nginx's error")
    errors = gate.node.errors()[before:]
    assert '"GET /logged/x?a=1&key=***' in errors
    assert key not in errors
    log = gate.node.settings.access_log_folder / "logged.log"
    wait_until(log.exists, seconds=3, what="the access log")
    assert key[-12:] not in log.read_text()


def test_a_short_value_is_no_trouble(gate, key):
    for value in ("", "*", "**", "x", "/", "ask", "%2A"):
        assert call(gate, f"/ask/x?api+key={value}&z=1").status == 403
    assert call(gate, f"/ask/x?z=1&api+key={key}").json["path"] == "/x?z=1"
