"""Lambda authorizers as documents say them, down to the stage's entry."""

import pytest

from apis.models import Stage
from apis.openapi import parse
from apis.openapi.authorizers import read_authorizers
from apis.openapi.operations import read_operations
from apis.openapi.root import read_root
from apis.publish import deploy
from tests.apis.factories import aws_documents, document, imported
from tests.apis.test_parse import PLACEHOLDERS

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:auth"
URI = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{FUNCTION}/invocations"


def scheme(header="Authorization", **fields):
    own = {"type": "token", "authorizerUri": URI} | fields
    return {
        "type": "apiKey", "in": "header", "name": header, "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": own,
    }  # fmt: skip


def read(**fields):
    """(the authorizer or None, why not, remark)"""
    found = read_authorizers({}, {"mine": scheme(**fields)})
    return found.served.get("mine"), found.reasons.get("mine", ""), found.remarks.get("mine", "")


def test_a_token_authorizer_and_its_defaults():
    expected = {"kind": "token", "function": FUNCTION, "validation": "", "ttl": 300}
    assert read() == (expected | {"identity": ["method.request.header.Authorization"]}, "", "")
    assert read(header="X-Token")[0]["identity"] == ["method.request.header.X-Token"]
    assert read(identitySource="method.request.header.Other")[0]["identity"] == [
        "method.request.header.Other"
    ]
    found = read(identityValidationExpression="^Bearer .+$", authorizerResultTtlInSeconds="60")[0]
    assert (found["validation"], found["ttl"]) == ("^Bearer .+$", 60)
    assert read(authorizerResultTtlInSeconds=0)[0]["ttl"] == 0


def test_a_request_authorizer():
    sources = (
        "method.request.header.A, method.request.querystring.b,stageVariables.c, context.identity.sourceIp"
    )
    found, _, remark = read(type="REQUEST", identitySource=sources, identityValidationExpression="ignored")
    assert found["kind"] == "request"
    assert found["identity"] == [each.strip() for each in sources.split(",")]
    assert (found["ttl"], found["validation"], remark) == (300, "", "")
    without, _, remark = read(type="request")
    assert (without["identity"], without["ttl"]) == ([], 0)
    assert "each call" in remark


def test_a_function_with_an_alias_and_credentials_that_are_not_used():
    found, _, remark = read(authorizerUri=URI.replace(":auth/", ":auth:live/"), authorizerCredentials="arn:x")
    assert found["function"] == f"{FUNCTION}:live"
    assert "authorizerCredentials" in remark


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"type": "jwt"}, "type token or request"),
        ({"type": "cognito_user_pools"}, "type token or request"),
        ({"authorizerUri": None}, "authorizerUri"),
        ({"authorizerUri": {"Fn::Sub": "x"}}, "authorizerUri"),
        ({"authorizerUri": URI.replace("auth/", "${stageVariables.fn}/")}, "authorizerUri"),
        ({"authorizerUri": URI.replace("lambda:eu-west-1", "lambda:evil.example")}, "authorizerUri"),
        ({"identitySource": "method.request.querystring.a"}, "one method.request.header"),
        ({"identitySource": "method.request.header.a,method.request.header.b"}, "one method.request.header"),
        ({"type": "request", "identitySource": "method.request.path.a"}, "identitySource"),
        ({"type": "request", "identitySource": "$request.header.A"}, "identitySource"),
        ({"identitySource": ["x"]}, "identitySource"),
        ({"identityValidationExpression": "("}, "no regular expression"),
        ({"identityValidationExpression": "x" * 1001}, "1000"),
        ({"authorizerResultTtlInSeconds": 3601}, "3600"),
        ({"authorizerResultTtlInSeconds": -1}, "3600"),
        ({"authorizerResultTtlInSeconds": True}, "3600"),
        ({"authorizerPayloadFormatVersion": "2.0"}, "2.0"),
        ({"enableSimpleResponses": True}, "simple"),
    ],
)
def test_what_cannot_be_asked_is_not_served_and_says_why(fields, says):
    found, reason, _ = read(**fields)
    assert found is None
    assert says in reason
    given = document(
        {"/a": {"get": {"security": [{"mine": []}]}}},
        components={"securitySchemes": {"mine": scheme(**fields)}},
    )
    (operation,), findings = read_operations(given)
    assert (operation.authorizer, says in operation.unserved_reason) == ("", True)
    assert any(
        each.pointer == "/components/securitySchemes/mine" and says in each.message for each in findings
    )


SCHEMES = {
    "mine": scheme(),
    "other": scheme(header="X"),
    "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
}


def operations(*requirements, **root):
    paths = {f"/{number}": {"get": {"security": each}} for number, each in enumerate(requirements)}
    return read_operations(document(paths, components={"securitySchemes": SCHEMES}, **root))[0]


def test_operations_name_their_authorizer():
    with_it, both, either, free, two = operations(
        [{"mine": []}],
        [{"mine": [], "api_key": []}],
        [{"mine": []}, {"api_key": []}],
        [],
        [{"mine": []}, {"other": []}],
    )
    for each in (with_it, both, either):
        assert (each.authorizer, each.unserved_reason) == ("mine", "")
    assert (both.key_required, either.key_required, with_it.key_required) == (True, True, None)
    assert (free.authorizer, free.unserved_reason) == ("", "")
    assert "several authorizers" in two.unserved_reason


def test_an_authorizer_beside_one_that_is_not_served_is_not_served():
    schemes = {"mine": scheme(), "pool": scheme(type="cognito_user_pools")}
    given = document(
        {"/a": {"get": {"security": [{"mine": [], "pool": []}]}}}, components={"securitySchemes": schemes}
    )
    assert "'pool'" in read_operations(given)[0][0].unserved_reason


def test_keys_that_authorizers_name_serve_operations_that_have_one():
    key_source = {"x-amazon-apigateway-api-key-source": "AUTHORIZER"}
    keyed, unnamed, free = operations([{"mine": [], "api_key": []}], [{"api_key": []}], [], **key_source)
    assert keyed.unserved_reason == free.unserved_reason == ""
    assert "comes from an authorizer, and it has none" in unnamed.unserved_reason


@pytest.mark.django_db
def test_a_deployment_keeps_the_authorizers_of_its_document():
    security = [{"mine": [], "api_key": []}]
    given = document(
        {"/a": {"get": {"security": security}}, "/b": {"get": {}}}, components={"securitySchemes": SCHEMES}
    )
    version = imported(given)
    compiled = deploy(version=version, stage_name="live", note="", actor=None).compiled
    assert set(compiled["authorizers"]) == {"mine", "other"}
    assert compiled["authorizers"]["mine"]["function"] == FUNCTION
    assert [each.get("authorizer") for each in compiled["operations"]] == ["mine", None]
    assert Stage.objects.get(version=version).deployment.compiled == compiled


@pytest.mark.parametrize("file", aws_documents())
def test_amazons_own_documents_have_authorizers_that_are_served_or_say_why(file):
    if file.stem in PLACEHOLDERS:
        pytest.skip("a placeholder that says nothing")
    root = read_root(parse(file.read_bytes()))
    for name, reason in root.authorizers.reasons.items():
        assert reason, name
    for each in root.authorizers.served.values():
        assert each["function"].startswith("arn:aws:lambda:")
        assert each["kind"] == "request" or len(each["identity"]) == 1
