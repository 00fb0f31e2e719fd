"""Whether an operation needs a key, and which must not be served because nobody would check."""

import pytest

from apis.openapi.operations import read_operations
from tests.apis.factories import KEY_SCHEME, document

AUTHORIZER = {
    "type": "apiKey",
    "in": "header",
    "name": "Auth",
    "x-amazon-apigateway-authorizer": {"type": "token"},
}
SIGV4 = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "x-amazon-apigateway-authtype": "awsSigv4",
}
SCHEMES = {
    **KEY_SCHEME,
    "other_header": {"type": "apiKey", "name": "token", "in": "header"},
    "query_key": {"type": "apiKey", "name": "key", "in": "query"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "authorizer": AUTHORIZER,
    "sigv4": SIGV4,
}
ABSENT = object()


def access(at_operation=ABSENT, root=ABSENT, **operation):
    if at_operation is not ABSENT:
        operation["security"] = at_operation
    more = {} if root is ABSENT else {"security": root}
    given = document({"/a": {"get": operation}}, components={"securitySchemes": SCHEMES}, **more)
    (found,) = read_operations(given)[0]
    return found.key_required, found.unserved_reason


@pytest.mark.parametrize(
    ("at_operation", "root", "key_required"),
    [
        ([{"api_key": []}], ABSENT, True),
        ([{"other_header": []}], ABSENT, True),
        ([{"bearer": []}, {"api_key": []}], ABSENT, True),
        ([], ABSENT, False),
        ([], [{"api_key": []}], False),
        ([{"NONE": []}], [{"api_key": []}], False),
        (ABSENT, ABSENT, None),
        (ABSENT, [{"api_key": []}], True),
        (ABSENT, [], False),
        (ABSENT, [{"bearer": []}], None),
        ([{"bearer": []}], ABSENT, None),
        ([{"query_key": []}], ABSENT, None),
        ("nonsense", ABSENT, None),
    ],
)
def test_whether_a_key_is_required(at_operation, root, key_required):
    assert access(at_operation, root) == (key_required, "")


@pytest.mark.parametrize("name", ["authorizer", "sigv4", "unknown"])
def test_an_operation_that_nobody_would_check_is_not_served(name):
    assert name in access([{name: []}])[1]
    assert name in access(ABSENT, [{name: []}])[1]
    assert access([{name: []}, {"api_key": []}])[0] is True
    assert access([], [{name: []}]) == (False, "")


def test_an_explicit_authorization_is_not_served():
    extension = "x-amazon-apigateway-auth"
    assert "AWS_IAM" in access(**{extension: {"type": "AWS_IAM"}})[1]
    assert access(**{extension: {"type": "NONE"}}) == (None, "")


@pytest.mark.parametrize(
    ("policy", "serves"),
    [
        ({"Statement": [{"Effect": "Allow", "Principal": "*"}]}, True),
        ({"Statement": {"Effect": "Allow", "Principal": {"AWS": "*"}}}, True),
        ({"Version": "2012-10-17"}, True),
        ({"Statement": [{"Effect": "Deny", "Principal": "*"}]}, True),
        ({"Statement": [{"Effect": "Allow", "Principal": "*", "Condition": {"Bool": {"x": "y"}}}]}, False),
        ({"Statement": [{"Effect": "Allow", "Principal": "arn:x"}]}, False),
        ("text", False),
    ],
)
def test_a_resource_policy_that_the_gateway_cannot_judge_is_not_served(policy, serves):
    given = document({"/a": {"get": {}}}, **{"x-amazon-apigateway-policy": policy})
    (found,) = read_operations(given)[0]
    assert (found.unserved_reason == "") is serves


def test_findings_explain_root_security_and_schemes_that_are_passed_on():
    given = document({}, components={"securitySchemes": SCHEMES}, security=[{"bearer": []}])
    findings = {each.pointer: each.level for each in read_operations(given)[1]}
    assert findings == {
        "/security": "info",
        "/components/securitySchemes/other_header": "info",
        "/components/securitySchemes/query_key": "info",
        "/components/securitySchemes/bearer": "info",
        "/components/securitySchemes/authorizer": "warning",
        "/components/securitySchemes/sigv4": "warning",
    }
