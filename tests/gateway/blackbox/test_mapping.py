"""Parameter mapping of proxied calls: into headers, query and path of the request, and on the answer."""

import json
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from gateway.entries import Integration, Target
from tests.gateway.world import operation, proxy

VECTORS = Path(__file__).parents[3] / "../shared/data/apigateway/unit-calls.jsonl"


@pytest.fixture
def publish(gate):
    def do(request=None, answer=None, *, path="/{a}/x/{rest+}", name="maps", **more):
        integration = proxy(request_parameters=request or {}, response_parameters=answer or {})
        integration = more.pop("integration", integration)
        gate.world.publish(name, {"op": operation("ANY", path, integration=integration)}, **more)

    return do


def headers_of(gate, path="/maps/one/x/two", **headers):
    answer = gate.node.call("GET", path, headers=headers)
    assert answer.status == 200, answer.body
    return answer.json["headers"]


def test_request_headers_from_everywhere(gate, publish):
    publish(
        {
            "integration.request.header.x-header": "method.request.header.X-From",
            "integration.request.header.x-query": "method.request.querystring.q",
            "integration.request.header.x-all": "method.request.multivaluequerystring.q",
            "integration.request.header.x-path": "method.request.path.a",
            "integration.request.header.x-greedy": "method.request.path.rest",
            "integration.request.header.x-static": "'it''s'",
            "integration.request.header.x-context": "context.httpMethod",
            "integration.request.header.x-stage": "context.stage",
            "integration.request.header.x-template": "context.resourcePath",
            "integration.request.header.x-ip": "context.identity.sourceIp",
            "integration.request.header.x-variable": "stageVariables.v",
            "integration.request.header.x-missing": "method.request.header.nope",
            "integration.request.header.x-unknown": "context.identity.apiKey",
        },
        variables={"v": "variable"},
    )
    seen = headers_of(gate, "/maps/o%20ne/x/two/three?q=1&q=%C3%A4", **{"X-From": "here"})
    assert {name: value for name, value in seen.items() if name.startswith("x-") and name[2:] in (
        "header", "query", "all", "path", "greedy", "static", "context", "stage", "template", "ip", "variable",
        "missing", "unknown",
    )} == {
        "x-header": "here",
        "x-query": "ä".encode().decode("latin-1"),
        "x-all": "1,ä".encode().decode("latin-1"),
        "x-path": "o ne",
        "x-greedy": "two/three",
        "x-static": "it''s",
        "x-context": "GET",
        "x-stage": "live",
        "x-template": "/{a}/x/{rest+}",
        "x-ip": "127.0.0.1",
        "x-variable": "variable",
    }  # fmt: skip


def test_a_mapped_header_replaces_the_clients(gate, publish):
    publish(
        {
            "integration.request.header.X-Tenant": "'ours'",
            "integration.request.header.Authorization": "'Basic x'",
        }
    )
    seen = headers_of(gate, **{"x-tenant": "theirs", "Authorization": "Bearer theirs"})
    assert (seen["x-tenant"], seen["authorization"]) == ("ours", "Basic x")


def test_a_client_cannot_strip_a_mapped_header(gate, publish):
    publish({"integration.request.header.X-Tenant": "'ours'"})
    assert headers_of(gate, Connection="close, X-Tenant")["x-tenant"] == "ours"


def test_headers_can_change_places(gate, publish):
    publish(
        {
            "integration.request.header.X-A": "method.request.header.X-B",
            "integration.request.header.X-B": "method.request.header.X-A",
        }
    )
    seen = headers_of(gate, **{"X-A": "a", "X-B": "b"})
    assert (seen["x-a"], seen["x-b"]) == ("b", "a")


def test_the_backend_gets_a_key_and_a_host_of_its_own(gate, publish):
    publish(
        {
            "integration.request.header.x-api-key": "'theirs'",
            "integration.request.header.Host": "'tenant.example'",
        }
    )
    seen = headers_of(gate, **{"X-Api-Key": "ours"})
    assert (seen["x-api-key"], seen["host"]) == ("theirs", "tenant.example")


@pytest.mark.parametrize(
    "name",
    [
        "Content-Length", "Transfer-Encoding", "Connection", "Expect", "TE", "Upgrade", "Proxy-Authorization",
        "X-Forwarded-For", "x_forwarded_for", "X-Gatehouse-Subscription", "X-Request-Id", "X-Amzn-Trace-Id", "b d",
    ],
)  # fmt: skip
def test_headers_that_no_mapping_may_set(gate, publish, name):
    publish({f"integration.request.header.{name}": "'999'"})
    assert "999" not in headers_of(gate).values()


def test_a_value_cannot_break_out_of_its_header(gate, publish):
    publish({"integration.request.header.x-a": "method.request.querystring.q"})
    seen = headers_of(gate, "/maps/one/x/two?q=1%0d%0aX-Evil:%202")
    assert (seen["x-a"], "x-evil" in seen) == ("1  X-Evil: 2", False)


def test_mapped_parameters_are_put_behind_the_clients_query(gate, publish):
    publish(
        {
            "integration.request.querystring.x y": "method.request.header.X-From",
            "integration.request.querystring.zz": "method.request.multivaluequerystring.q",
            "integration.request.querystring.none": "method.request.querystring.none",
        }
    )
    for query, expected in (
        ("", "?x%20y=a%26b%3D1"),
        ("?", "?x%20y=a%26b%3D1"),
        ("?q=1&q=2", "?q=1&q=2&x%20y=a%26b%3D1&zz=1&zz=2"),
    ):
        answer = gate.node.call("GET", "/maps/one/x/two" + query, headers={"X-From": "a&b=1"})
        assert answer.json["path"] == "/one/x/two" + expected


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("red", "/items/red/end"),
        ("a/b c?d", "/items/a%2Fb%20c%3Fd/end"),
        ("..", "/items//end"),
        ("", "/items//end"),
    ],
)
def test_a_path_from_a_header(gate, publish, value, path):
    integration = Integration(
        type="http_proxy",
        target=Target("http", "127.0.0.1", gate.backend.port),
        path=["/items/", {"source": "method.request.header.X-Colour"}, "/end"],
    )
    publish(integration=integration, path="/go")
    assert gate.node.call("GET", "/maps/go", headers={"X-Colour": value}).json["path"] == path


def test_answer_headers_are_overwritten_appended_and_removed(gate, publish):
    publish(
        answer={
            "200": {
                "overwrite:header.x-backend": "'hidden'",
                "append:header.x-more": "second",
                "append:header.x-new": "$response.header.x-more",
                "remove:header.x-secret": "''",
                "overwrite:header.x-mixed": "${context.stage}/$context.requestId $response.header.x-more",
                "overwrite:header.x-asked": "$request.header.x-ask",
                "overwrite:header.x-none": "$response.header.nope",
                "overwrite:header.Content-Length": "'3'",
            }
        }
    )
    answer = gate.node.call(
        "GET", "/maps/a/x/b?header=x-more:first&header=x-secret:s", headers={"x-ask": "asked"}
    )
    seen = answer.headers
    assert seen["x-backend"] == "hidden"
    assert seen["x-more"] == "first, second"
    assert seen["x-new"].startswith("first")
    assert seen["x-mixed"].startswith(f"live/{seen['x-amzn-requestid']} first")
    assert seen["x-asked"] == "asked"
    assert not {"x-secret", "x-none"} & set(seen)
    assert answer.json["backend"] == "one"


def test_a_status_has_its_own_rules_or_the_default(gate, publish):
    publish(
        answer={
            "404": {"overwrite:statuscode": "'410'"},
            "default": {"overwrite:header.x-rule": "'default'"},
        }
    )
    answer = gate.node.call("GET", "/maps/a/x/b?status=404")
    assert (answer.status, "x-rule" in answer.headers) == (410, False)
    answer = gate.node.call("GET", "/maps/a/x/b?status=503")
    assert (answer.status, answer.headers["x-rule"]) == (503, "default")


def test_refusals_of_our_own_are_not_mapped(gate, publish):
    publish(answer={"default": {"overwrite:header.x-rule": "'default'"}})
    assert "x-rule" not in gate.node.call("GET", "/maps/nothing").headers


def _cases():
    """What an independent implementation makes of AWS's request mappings."""
    if not VECTORS.exists():
        return
    for line in VECTORS.read_text().splitlines():
        case = json.loads(line)
        for number, call in enumerate(case["calls"]):
            served = "body" not in json.dumps(call.get("kwargs", {}).get("request_parameters", "body"))
            if call["fn"] == "params.map_integration_request" and "result" in call and served:
                yield pytest.param(call, id=f"{case['id'].split('::')[-1]}-{number}")


def test_there_are_vectors():
    if not VECTORS.exists():
        pytest.skip("../shared/data is not there")
    assert len(list(_cases())) >= 4


@pytest.mark.parametrize("call", list(_cases()) or [None])
def test_as_other_implementations_map(gate, publish, call):
    if call is None:
        pytest.skip("../shared/data is not there")
    asked, expected = call["kwargs"], call["result"]
    request = asked["invocation_request"]
    parameters = {
        name: source
        for name, source in asked["request_parameters"].items()
        if "identity.apiKey" not in source and "identity.userAgent" not in source and ".path." not in name
    }
    publish(
        parameters,
        path=asked["context_variables"].get("resourcePath", "/test/{path_value}"),
        name="vectors",
        version_id=asked["context_variables"]["apiId"],
        variables=asked["stage_variables"] or {},
    )
    wanted = request["multi_value_query_string_parameters"]
    query = "&".join(f"{name}={value}" for name, values in wanted.items() for value in values)
    headers = dict(request["headers"])
    if headers.get("testMultiHeader"):
        pytest.skip("its request holds a header twice, which the recorded call does not tell")
    answer = gate.node.call(request["http_method"], f"/vectors{request['raw_path']}?{query}", headers=headers)
    seen = answer.json
    for name in parameters:
        place, target = name.removeprefix("integration.request.").split(".", 1)
        value = expected["header" if place == "header" else "querystring"].get(target)
        if place == "header":
            assert seen["headers"].get(target.lower()) == value
        else:
            pairs = parse_qsl(urlsplit(seen["path"]).query)[
                len(parse_qsl(query)) :
            ]  # the client's come first
            got = [v for n, v in pairs if n == target]
            assert got == ([] if value is None else value if isinstance(value, list) else [value])
