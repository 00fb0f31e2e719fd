"""`x-amazon-apigateway-integration`: what can be served, and what is only kept."""

import pytest

from apis.openapi.integrations import EXTENSION, Integration, read_integration

PROXY = {"type": "http_proxy", "uri": "https://a.example/o/{order}", "httpMethod": "GET"}
MAPPING = {"integration.request.path.order": "method.request.path.id"}


def read(raw, path="/orders/{id}", data=None):
    return read_integration(data or {}, {EXTENSION: raw}, path, "paths", path, "get")


def test_an_operation_without_an_integration_has_none():
    assert read(None) == (Integration(), [])


def test_an_http_proxy_is_served_with_its_path_mapping_method_and_timeout():
    raw = {**PROXY, "requestParameters": MAPPING, "timeoutInMillis": 3_000}
    assert read(raw) == (
        Integration("http_proxy", PROXY["uri"], "GET", 3_000, {"id": 0, "order": 0}),
        [],
    )


def test_the_types_case_and_the_method_any_do_not_matter():
    integration, findings = read({"type": "HTTP_PROXY", "uri": "https://a.example", "httpMethod": "any"})
    assert (integration.type, integration.method, findings) == ("http_proxy", "", [])


def test_headers_and_queries_that_are_mapped_to_themselves_change_nothing():
    same = {
        **MAPPING,
        "integration.request.header.X-A": "method.request.header.X-A",
        "integration.request.querystring.q": "method.request.querystring.q",
    }
    assert read({**PROXY, "requestParameters": same})[0].unserved_reason == ""


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ({"type": "aws_proxy", "uri": "arn:x"}, "of the type aws_proxy"),
        ({"type": "aws", "uri": "arn:x"}, "of the type aws are"),
        ({"type": "mock"}, "of the type mock"),
        ({"type": "http", "uri": "https://a.example"}, "of the type http are"),
        ({"type": "strange"}, "the integration type 'strange'"),
        ({}, "without a type"),
        ("text", "cannot be read: it is not an object"),
        ({"$ref": "#/nowhere"}, "leads nowhere"),
        ({"type": "http_proxy"}, "uri is missing"),
        ({"type": "http_proxy", "uri": {"Fn::Sub": "https://${X}"}}, "expression of a template"),
        ({"type": "http_proxy", "uri": "https://a.example", "connectionType": "VPC_LINK"}, "VPC link"),
        ({"type": "http_proxy", "uri": "https://a.example", "httpMethod": "BREW"}, "method is 'BREW'"),
        ({"type": "http_proxy", "uri": "https://a.example/{nobody}"}, "no variable"),
        (
            {
                **PROXY,
                "requestParameters": {**MAPPING, "integration.request.header.X": "method.request.body"},
            },
            "parameter mapping",
        ),
    ],
)
def test_what_cannot_be_served_yet_is_kept_with_a_reason(raw, reason):
    integration, (finding,) = read(raw)
    assert reason in integration.unserved_reason
    assert finding.level == "warning"
    assert finding.pointer.startswith("/paths/~1orders~1{id}/get/x-amazon-apigateway-integration")
    assert finding.message.startswith("Not served by this gateway yet: ")


def test_a_reference_to_a_shared_integration_is_followed():
    data = {
        "components": {"x-amazon-apigateway-integrations": {"a": {**PROXY, "requestParameters": MAPPING}}}
    }
    integration, findings = read({"$ref": "#/components/x-amazon-apigateway-integrations/a"}, data=data)
    assert (integration.uri, findings) == (PROXY["uri"], [])


@pytest.mark.parametrize(("given", "used"), [(1, 50), (90_000, 29_000), ("soon", 29_000), (True, 29_000)])
def test_a_timeout_out_of_bounds_is_brought_into_them_with_a_warning(given, used):
    raw = {"type": "http_proxy", "uri": "https://a.example", "timeoutInMillis": given}
    integration, (finding,) = read(raw)
    assert (integration.timeout_ms, finding.level) == (used, "warning")


def test_settings_without_effect_are_told():
    raw = {
        "type": "http_proxy",
        "uri": "https://a.example",
        "tlsConfig": {"insecureSkipVerification": True},
        "cacheNamespace": "shared",
    }
    assert [each.level for each in read(raw)[1]] == ["warning", "info"]


def test_headers_queries_and_answers_are_mapped():
    integration, findings = read(
        {
            **PROXY,
            "requestParameters": {
                "integration.request.path.order": "'fixed'",
                "integration.request.header.X-A": "method.request.querystring.a",
                "integration.request.header.X-B": "context.identity.sourceIp",
                "integration.request.querystring.v": "stageVariables.version",
            },
            "responseParameters": {
                "default": {"remove:header.Server": "''"},
                "404": {"overwrite:header.X-C": "$context.requestId", "overwrite:statuscode": "410"},
            },
            "responseTransferMode": "STREAM",
        }
    )
    assert findings == []
    assert integration.captures == {"id": 0, "order": "'fixed'"}
    assert integration.request_parameters == {
        "integration.request.header.X-A": "method.request.querystring.a",
        "integration.request.header.X-B": "context.identity.sourceIp",
        "integration.request.querystring.v": "stageVariables.version",
    }
    assert integration.response_parameters == {
        "default": {"remove:header.Server": "''"},
        "404": {"overwrite:header.X-C": "$context.requestId", "overwrite:statuscode": "410"},
    }
    assert integration.stream is True


def test_the_words_of_http_apis_are_understood():
    integration, _ = read(
        {
            **PROXY,
            "requestParameters": {
                **MAPPING,
                "overwrite:header.X-A": "$request.header.b",
                "overwrite:header.X-S": "plain",
                "append:querystring.q": "${stageVariables.q}",
            },
        }
    )
    assert integration.request_parameters == {
        "integration.request.header.X-A": "method.request.header.b",
        "integration.request.header.X-S": "'plain'",
        "integration.request.querystring.q": "stageVariables.q",
    }


@pytest.mark.parametrize(
    ("target", "source"),
    [
        ("integration.request.header.X", "method.request.body.name"),
        ("integration.request.header.Content-Length", "'1'"),
        ("integration.request.header.X", "'a\r\nB: c'"),
        ("integration.request.header.X", "static without quotes"),
        ("integration.request.header.A B", "'x'"),
        ("integration.request.path.order", "method.request.body.x"),
        ("remove:header.X", "''"),
        ("overwrite:path", "/x"),
        ("overwrite:header.X", "$request.header.a-$request.header.b"),
    ],
)
def test_a_mapping_that_the_gate_does_not_know_keeps_its_operation_unserved(target, source):
    integration, _ = read({**PROXY, "requestParameters": {**MAPPING, target: source}})
    assert "is not served yet" in integration.unserved_reason


def test_changes_of_the_answer_that_are_not_known_are_told_and_left_out():
    given = {"200": {"overwrite:statuscode": "abc", "append:header.X": "$response.body.a"}, "200 OK": {}}
    integration, findings = read({**PROXY, "requestParameters": MAPPING, "responseParameters": given})
    assert integration.response_parameters == {}
    assert [each.level for each in findings] == ["warning", "warning"]


def test_cache_keys_follow_the_mapping_to_what_the_client_sends():
    keys = [
        "method.request.querystring.page",
        "integration.request.path.order",
        "integration.request.header.X-A",
        "method.request.body",
    ]
    mapping = {**MAPPING, "integration.request.header.X-A": "method.request.header.B"}
    integration, (finding,) = read({**PROXY, "requestParameters": mapping, "cacheKeyParameters": keys})
    assert integration.cache_keys == ["query.page", "path.id", "header.b"]
    assert "method.request.body" in finding.message
