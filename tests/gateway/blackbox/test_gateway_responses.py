"""How a stage wants its refusals to look: by AWS's types, in AWS's order."""

import json

import pytest

from gateway.entries import GatewayResponse, IpRules, Policy, Throttle
from tests.gateway.world import operation, proxy

FULL = """{
     "message": $context.error.messageString,
     "type":  "$context.error.responseType",
     "stage":  "$context.stage",
     "resourcePath":  "$context.resourcePath",
     "stageVariables.a":  "$stageVariables.a",
     "statusCode": "'404'"
}"""
AS_AWS_RECORDED = GatewayResponse(
    status=404,
    headers={
        "Access-Control-Allow-Origin": "'a.b.c'",
        "x-request-header": "method.request.header.Accept",
        "x-request-path": "method.request.path.petId",
        "x-request-query": "method.request.querystring.q",
    },
    templates={"application/json": FULL},
)


@pytest.fixture
def publish(gate):
    """Publish stage `answers` with these responses; operations: keyed, slow, gone, unserved."""
    gate.world.backend("nobody", "127.0.0.1", 1)
    gate.world.backend("hasty", "127.0.0.1", gate.backend.port, timeout_ms=100)

    def do(responses, **more):
        operations = {
            "keyed": operation("GET", "/pets/{petId}", key_required=True),
            "gone": operation("GET", "/gone", integration=proxy("nobody")),
            "slow": operation("GET", "/slow", integration=proxy("hasty")),
            "open": operation("ANY", "/open", throttle=Throttle(rate=0, burst=0)),
            "post": operation("POST", "/post"),
        }
        more = {"variables": {"a": "b c"}, **more}
        gate.world.publish("answers", operations, responses=responses, **more)

    return do


def get(gate, path="/pets/7", **headers):
    return gate.node.call("GET", f"/answers{path}", headers=headers)


def test_as_awss_example(gate, publish):
    publish({"INVALID_API_KEY": AS_AWS_RECORDED})
    answer = get(gate, "/pets/a%20b?q=1&q=2", Accept="application/json")
    assert answer.status == 404
    assert answer.json == {
        "message": "Forbidden",
        "type": "INVALID_API_KEY",
        "stage": "live",
        "resourcePath": "/pets/{petId}",
        "stageVariables.a": "b c",
        "statusCode": "'404'",
    }
    assert answer.headers["access-control-allow-origin"] == "a.b.c"
    assert answer.headers["x-request-header"] == "application/json"
    assert answer.headers["x-request-path"] == "a b"
    assert answer.headers["x-request-query"] == "2"
    assert answer.headers["x-amzn-errortype"] == "ForbiddenException"
    assert answer.headers["content-length"] == str(len(answer.body))


def test_the_types_own_wins_then_the_default_of_its_class_then_the_built_in(gate, publish):
    own = GatewayResponse(status=401, templates={"application/json": '{"own":true}'})
    default = GatewayResponse(status=418, headers={"x-default": "'4xx'"})
    publish({"INVALID_API_KEY": own, "DEFAULT_4XX": default})
    answer = get(gate)
    assert (answer.status, answer.json, "x-default" in answer.headers) == (401, {"own": True}, False)
    answer = get(gate, "/nothing")
    assert (answer.status, answer.json) == (418, {"message": "Missing Authentication Token"})
    assert answer.headers["x-default"] == "4xx"
    assert (get(gate, "/gone").status, get(gate, "/slow?sleep=0.5").status) == (502, 504)
    publish({})
    assert (get(gate).status, get(gate).json) == (403, {"message": "Forbidden"})


def test_throttled_calls_keep_what_they_are_told(gate, publish):
    publish({"THROTTLED": GatewayResponse(templates={"application/json": '{"slow":"down"}'})})
    answer = get(gate, "/open")
    assert (answer.status, answer.json) == (429, {"slow": "down"})
    assert int(answer.headers["retry-after"]) > 0


def test_errors_that_nginx_finds_are_customised_too(gate, publish):
    page = GatewayResponse(
        status=599, templates={"application/json": '{"type":"$context.error.responseType"}'}
    )
    publish({"DEFAULT_5XX": page, "REQUEST_TOO_LARGE": GatewayResponse(headers={"x-limit": "'10 MB'"})})
    for path, kind in (("/gone", "INTEGRATION_FAILURE"), ("/slow?sleep=0.5", "INTEGRATION_TIMEOUT")):
        answer = get(gate, path)
        assert (answer.status, answer.json) == (599, {"type": kind})
    head = b"POST /answers/post HTTP/1.1\r\nHost: gate.test\r\nContent-Length: 99999999\r\n\r\n"
    answer = gate.node.raw(head, seconds=1)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"x-limit: 10 MB\r\n" in answer


def test_a_body_that_is_too_large_is_counted_for_its_stage(gate, publish):
    publish({})
    before = len(gate.node.usage())
    gate.node.raw(b"POST /answers/post HTTP/1.1\r\nHost: g\r\nContent-Length: 99999999\r\n\r\n", seconds=1)
    line = gate.node.usage_after(before)[0]
    assert (line["stage"], line["operation"], line["verdict"]) == ("answers", "-", "REQUEST_TOO_LARGE")


def test_the_first_type_of_accept_chooses_the_template(gate, publish):
    templates = {
        "application/json": '{"a":1}',
        "text/html": "<p>$context.error.message</p>",
        "application/xml": "<e/>",
    }
    publish({"DEFAULT_4XX": GatewayResponse(templates=templates)})
    for accept, kind in (
        ("text/html, application/json", "text/html"),
        ("application/xml;q=0.9, text/html", "application/xml"),
        ("TEXT/HTML", "text/html"),
        ("*/*", "application/json"),
        ("image/png", "application/json"),
    ):
        assert get(gate, Accept=accept).headers["content-type"] == kind
    assert get(gate, Accept="text/html").body == b"<p>Forbidden</p>"
    publish({"DEFAULT_4XX": GatewayResponse(templates={"text/plain": "no"})})
    assert get(gate, Accept="text/html").headers["content-type"] == "text/plain"


def test_what_a_client_sent_stays_a_value(gate, publish):
    templates = {
        "application/json": '{"a":"$method.request.querystring.q","b":"${method.request.header.x-b}",'
        '"$x":"$context.none"}',
        "text/html": "<b>$method.request.querystring.q</b>",
    }
    publish(
        {"DEFAULT_4XX": GatewayResponse(templates=templates, headers={"x-q": "method.request.querystring.q"})}
    )
    evil = "/pets/1?q=%3Cscript%3E%22%0d%0aSet-Cookie:a%5C$context.stage"
    answer = get(gate, evil, **{"x-b": "${context.stage}"})
    text = '<script>"\r\nSet-Cookie:a\\$context.stage'
    assert answer.json == {"a": text, "b": "${context.stage}", "$x": ""}
    assert "set-cookie" not in answer.headers
    answer = get(gate, evil, Accept="text/html")
    assert b"<script>" not in answer.body
    assert b"&lt;script&gt;&quot;" in answer.body


def test_values_that_are_missing_leave_headers_out(gate, publish):
    headers = {
        "x-none": "context.authorizer.principalId",
        "x-nowhere": "method.request.path.other",
        "x-odd": "something else",
        "Content-Length": "'3'",
        "Transfer-Encoding": "'chunked'",
        "x-amzn-RequestId": "'mine'",
        "bad name": "'x'",
        "x-id": "context.requestId",
        "x-variable": "stageVariables.a",
    }
    publish({"DEFAULT_4XX": GatewayResponse(headers=headers)})
    answer = get(gate)
    assert answer.json == {"message": "Forbidden"}
    assert not {"x-none", "x-nowhere", "x-odd", "bad name", "transfer-encoding"} & set(answer.headers)
    assert answer.headers["x-id"] == answer.headers["x-amzn-requestid"] != "mine"
    assert answer.headers["x-variable"] == "b c"


def test_a_status_that_http_does_not_know_is_left_alone(gate, publish):
    for status in (99, 100, 600, 0):
        publish({"DEFAULT_4XX": GatewayResponse(status=status)})
        assert get(gate).status == 403


def test_the_text_of_a_denial_can_be_shown(gate, publish):
    show = GatewayResponse(templates={"application/json": json.dumps({"why": "$context.error.message"})})
    publish({"ACCESS_DENIED": show}, policy=Policy(ip=IpRules(deny=["127.0.0.0/8"])))
    assert get(gate).json["why"].startswith("User: anonymous is not authorized to perform: ")


def test_head_is_answered_without_a_body(gate, publish):
    publish({"DEFAULT_4XX": GatewayResponse(status=404, templates={"text/plain": "nothing here"})})
    answer = gate.node.call("HEAD", "/answers/nothing")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (404, b"", "12")
