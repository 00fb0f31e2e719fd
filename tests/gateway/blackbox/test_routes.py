"""Which operation answers: hosts, base paths, the route tree."""

import time

import pytest

from gateway.entries import Integration, Mapping, Target
from tests.gateway.world import operation

PATHS = {
    "root": ("GET", "/"),
    "pets": ("GET", "/pets"),
    "pets-slash": ("GET", "/slash/"),
    "special": ("GET", "/pets/special"),
    "toys": ("GET", "/pets/{id}/toys"),
    "pet": ("GET", "/pets/{id}"),
    "make": ("POST", "/pets/{id}"),
    "file": ("GET", "/pets/{id}.json"),
    "pair": ("GET", "/pets/{x}-{y}.json"),
    "special-food": ("GET", "/pets/special/food"),
    "any": ("ANY", "/pets/{id}/any"),
    "any-get": ("GET", "/pets/{id}/any"),
    "rest": ("GET", "/pets/{proxy+}"),
    "cafe": ("GET", "/café au lait"),
}


@pytest.fixture(scope="module", autouse=True)
def stage(gate):
    """Each operation answers with its own name and what its variables caught, as the backend's path."""
    target = Target("http", "127.0.0.1", gate.backend.port)
    operations = {}
    for name, (method, path) in PATHS.items():
        captured = [piece for number in range(path.count("{")) for piece in ("/", number)]
        integration = Integration(type="http_proxy", target=target, path=[f"/{name}", *captured])
        operations[name] = operation(method, path, integration=integration)
    gate.world.publish("routes", operations)


@pytest.mark.parametrize(
    ("method", "path", "reached"),
    [
        ("GET", "", "/root"),
        ("GET", "/", "/root"),
        ("GET", "/pets", "/pets"),
        ("GET", "/pets/", "/pets"),
        ("GET", "/slash", None),
        ("GET", "/slash/", "/pets-slash"),
        ("GET", "/p%65ts", "/pets"),
        ("GET", "/pets/special", "/special"),
        ("POST", "/pets/special", "/make/special"),
        ("GET", "/pets/special/toys", "/toys/special"),
        ("GET", "/pets/special/food", "/special-food"),
        ("GET", "/pets/7", "/pet/7"),
        ("GET", "/pets/a%20b", "/pet/a%20b"),
        ("GET", "/pets/a.json", "/file/a"),
        ("GET", "/pets/a%2Ejson", "/file/a"),
        ("GET", "/pets/a%20b.json", "/file/a%20b"),
        ("GET", "/pets/.json", "/pet/.json"),
        ("GET", "/pets/a-b.json", "/pair/a/b"),
        ("GET", "/pets/a-b-c.json", "/pair/a/b-c"),
        ("GET", "/pets/%2D-%2D.json", "/pair/%2D/%2D"),
        ("GET", "/pets/-b.json", "/file/-b"),
        ("GET", "/pets/..json", "/pet/..json"),
        ("POST", "/pets/a.json", "/make/a.json"),
        ("DELETE", "/pets/7/any", "/any/7"),
        ("GET", "/pets/7/any", "/any-get/7"),
        ("GET", "/pets/7/other/x", "/rest/7/other/x"),
        ("GET", "/pets/7/other/", "/rest/7/other/"),
        ("GET", "/pets//", "/rest//"),
        ("DELETE", "/pets/7", None),
        ("POST", "/pets/7/other", None),
        ("GET", "/unknown", None),
        ("GET", "/Pets", None),
        ("GET", "/caf%C3%A9%20au%20lait", "/cafe"),
    ],
)
def test_the_most_specific_operation_answers(gate, method, path, reached):
    answer = gate.node.call(method, "/routes" + path)
    if reached is None:
        assert (answer.status, answer.json) == (403, {"message": "Missing Authentication Token"})
        assert answer.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    else:
        assert (answer.status, answer.json["path"]) == (200, reached)


@pytest.mark.parametrize(
    "path",
    [
        "/open/..",
        "/open/../x",
        "/open/a/%2e%2E/b",
        "/open/./a",
        "/open/a/.",
        "/open/.%2e/a",
        "/open/%2e",
        "/..",
    ],
)
def test_dot_segments_are_refused_however_they_are_written(gate, path):
    answer = gate.node.call("GET", path)
    assert (answer.status, answer.json) == (400, {"message": "Bad Request"})


@pytest.mark.parametrize(
    "path", ["/open/.well-known/x", "/open/a..b", "/open/...", "/open/..a", "/open/%2e%2ea"]
)
def test_names_that_only_look_like_dot_segments_pass(gate, path):
    assert gate.node.call("GET", path).json["path"] == path.removeprefix("/open")


def test_the_longest_base_path_wins(gate):
    gate.world.publish("long", {"op": operation("GET", "/{x}")}, at="*|long")
    gate.world.publish("longer", {"op": operation("GET", "/{x}/y")}, at="*|long/er")
    assert gate.node.call("GET", "/long/er").status == 403
    assert gate.node.call("GET", "/long/er/x/y").json["path"] == "/x/y"
    assert gate.node.call("GET", "/long/err").json["path"] == "/err"


def test_the_canonical_address_is_found_by_any_suffix_of_the_host(gate):
    gate.world.put("mapping", "abcde12345.execute-api|live", Mapping(stage="open"))
    for host in ("abcde12345.execute-api.eu-west-1.amazonaws.com", "ABCDE12345.Execute-API.localhost:8080"):
        assert gate.node.call("GET", "/live/x", host=host).json["path"] == "/x"
        assert gate.node.call("GET", "/live", host=host).json["path"] == "/"
    assert gate.node.call("GET", "/dev/x", host="abcde12345.execute-api.localhost").status == 403
    assert gate.node.call("GET", "/live/x", host="zzzzz12345.execute-api.localhost").status == 403
    assert gate.node.call("GET", "/open/x", host="abcde12345.execute-api.localhost").status == 403


def test_a_claimed_host_answers_its_own_mappings_only(gate):
    gate.world.put("mapping", "api.example.test|shop", Mapping(stage="open"))
    try:
        assert gate.node.call("GET", "/shop/x", host="API.example.test:8080").json["path"] == "/x"
        assert gate.node.call("GET", "/open/x", host="api.example.test").status == 403
        assert gate.node.call("GET", "/shop/x", host="other.example.test").status == 403
        assert gate.node.call("GET", "/open/x", host="other.example.test").status == 200
        assert gate.node.call("GET", "/ping", host="api.example.test").status == 403
        gate.world.put("mapping", "api.example.test|", Mapping(stage="open"))
        assert gate.node.call("GET", "/any/x", host="api.example.test").json["path"] == "/any/x"
        gate.world.put("mapping", "api.example.test|", None)
        assert gate.node.call("GET", "/any/x", host="api.example.test").status == 403
    finally:
        gate.world.put("mapping", "api.example.test|shop", None)
    assert gate.node.call("GET", "/open/x", host="api.example.test").status == 200


def test_a_wildcard_answers_for_one_label_and_a_mapping_of_the_host_itself_comes_before_it(gate):
    gate.world.put("mapping", "*.wild.test|shop", Mapping(stage="open"))
    try:
        assert gate.node.call("GET", "/shop/x", host="any.wild.test").json["path"] == "/x"
        assert gate.node.call("GET", "/open/x", host="any.wild.test").status == 403
        for host in ("wild.test", "a.b.wild.test", "*.test"):
            assert gate.node.call("GET", "/shop/x", host=host).status == 403
            assert gate.node.call("GET", "/open/x", host=host).status == 200
        gate.world.put("mapping", "api.wild.test|own", Mapping(stage="open"))
        assert gate.node.call("GET", "/own/x", host="api.wild.test").json["path"] == "/x"
        assert gate.node.call("GET", "/shop/x", host="api.wild.test").status == 403
    finally:
        gate.world.put("mapping", "*.wild.test|shop", None)
        gate.world.put("mapping", "api.wild.test|own", None)
    assert gate.node.call("GET", "/open/x", host="any.wild.test").status == 200


def test_ping_answers_without_a_usage_line(gate):
    time.sleep(0.2)  # the line of the test before is written after its answer
    before = len(gate.node.usage())
    assert [gate.node.call("GET", path).status for path in ("/ping", "/sping", "/pingg")] == [200, 200, 403]
    assert [line["stage"] for line in gate.node.usage_after(before)] == ["-"]


@pytest.mark.parametrize("change", [{"state": "retired"}, {"suspended": True}])
def test_a_closed_stage_is_forbidden(gate, change):
    gate.world.publish("closed", {"op": operation("GET", "/")}, **change)
    answer = gate.node.call("GET", "/closed")
    assert (answer.status, answer.json) == (403, {"message": "Forbidden"})
    gate.world.publish("closed", {"op": operation("GET", "/")}, state="deprecated")
    assert gate.node.call("GET", "/closed").status == 200


def test_what_was_found_before_is_forgotten_when_the_stage_or_its_address_changes(gate):
    def answers():
        return {gate.node.call("GET", "/moving/a/1").status for _ in range(12)}

    gate.world.publish("moving", {"op": operation("GET", "/a/{id}")})
    assert answers() == {200}
    gate.world.publish("moving", {"op": operation("GET", "/b/{id}")})
    assert answers() == {403}
    gate.world.publish("moving", {"op": operation("GET", "/a/{id}")})
    assert answers() == {200}
    gate.world.put("mapping", "*|moving", None)
    assert answers() == {403}


def test_a_path_found_at_one_method_or_host_is_not_found_at_another(gate):
    gate.world.publish("only-get", {"op": operation("GET", "/a")})
    gate.world.put("mapping", "found.test|", Mapping(stage="only-get"))
    for _ in range(12):
        assert gate.node.call("GET", "/only-get/a").status == 200
        assert gate.node.call("POST", "/only-get/a").status == 403
        assert gate.node.call("GET", "/only-get/a", host="found.test").status == 403
        assert gate.node.call("GET", "/a", host="found.test").status == 200
