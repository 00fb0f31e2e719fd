"""`x-amazon-apigateway-policy`: by address, per stage, verb and path; all else is not enforced."""

import pytest

from apis.openapi.resource_policy import NOBODY, read_resource_policy, rules_of

ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
DENY = ALLOW | {"Effect": "Deny"}


def inside(*networks):
    return {"Condition": {"IpAddress": {"aws:SourceIp": list(networks)}}}


def outside(network):
    return {"Condition": {"NotIpAddress": {"aws:SourceIp": network}}}


def rules(*statements, method="GET", path="/pets/{id}"):
    read, why_not = read_resource_policy({"Statement": list(statements)})
    assert why_not == ""
    return rules_of(read, "live", method, path)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([ALLOW], None),
        ([ALLOW | inside("1.2.3.4", "10.0.0.0/8")], {"allow": ["1.2.3.4/32", "10.0.0.0/8"], "deny": []}),
        ([ALLOW | outside("10.0.0.0/8")], {"allow": [], "deny": ["10.0.0.0/8"]}),
        ([ALLOW, DENY | inside("10.0.0.0/8")], {"allow": [], "deny": ["10.0.0.0/8"]}),
        ([ALLOW, DENY | outside("10.0.0.0/8")], {"allow": ["10.0.0.0/8"], "deny": []}),
        (
            [ALLOW | inside("10.0.0.0/8"), DENY | outside("10.1.0.0/16")],
            {"allow": ["10.1.0.0/16"], "deny": []},
        ),
        ([ALLOW | inside("10.0.0.0/8"), DENY | outside("192.0.2.0/24")], NOBODY),
        ([ALLOW, DENY], NOBODY),
        ([DENY | inside("10.0.0.0/8")], NOBODY),
    ],
)
def test_statements_about_addresses_become_ip_rules(statements, expected):
    assert rules(*statements) == expected


@pytest.mark.parametrize(
    ("resource", "method", "path", "allowed"),
    [
        ("execute-api:/live/GET/pets/*", "GET", "/pets/{id}", True),
        ("arn:aws:execute-api:eu-west-1:1:abc/live/GET/pets/*", "GET", "/pets/{id}", True),
        ("*", "GET", "/pets/{id}", True),
        ("execute-api:/test/*", "GET", "/pets/{id}", False),
        ("execute-api:/live/PUT/*", "GET", "/pets/{id}", False),
        ("execute-api:/live/GET/*", "ANY", "/pets/{id}", False),
        ("execute-api:/live/*/pets", "ANY", "/pets", True),
        ("execute-api:/live/GET/pets/5", "GET", "/pets/{id}", False),
        ("execute-api:/live/GET/pet?", "GET", "/pets", True),
    ],
)
def test_an_allowance_holds_where_it_covers_the_whole_operation(resource, method, path, allowed):
    expected = None if allowed else NOBODY
    assert rules(ALLOW | {"Resource": [resource]}, method=method, path=path) == expected


@pytest.mark.parametrize(
    ("resource", "method", "path", "denied"),
    [
        ("execute-api:/live/GET/pets/5", "GET", "/pets/{id}", True),
        ("execute-api:/live/GET/*/5", "ANY", "/pets/{id}", True),
        ("execute-api:/live/PUT/*", "GET", "/pets/{id}", False),
        ("execute-api:/live/GET/cats/*", "GET", "/pets/{id}", False),
        ("execute-api:/live/GET/pe*/?", "GET", "/pets/{id}", True),
        ("execute-api:/live/GET/p*s", "GET", "/{proxy+}", True),
        ("execute-api:/live/GET/", "GET", "/", True),
    ],
)
def test_a_denial_holds_where_it_touches_the_operation(resource, method, path, denied):
    expected = NOBODY if denied else None
    assert rules(ALLOW, DENY | {"Resource": resource}, method=method, path=path) == expected


@pytest.mark.parametrize(
    "statement",
    [
        "text",
        ALLOW | {"Principal": {"AWS": ["123456"]}},
        ALLOW | {"Effect": "Maybe"},
        ALLOW | {"Action": "sts:AssumeRole"},
        ALLOW | {"NotResource": "x"},
        ALLOW | {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        ALLOW | {"Condition": {"IpAddress": {"aws:SourceIp": "x"}}},
        ALLOW | {"Condition": {"IpAddress": {"aws:SourceIp": "1.1.1.1", "aws:VpcSourceIp": "1.1.1.1"}}},
        ALLOW | {"Condition": {"IpAddress": {"aws:SourceIp": "1.1.1.1"}, "Bool": {"a": "b"}}},
    ],
)
def test_a_statement_about_anything_else_is_not_enforced_and_says_so(statement):
    read, why_not = read_resource_policy({"Statement": [ALLOW, statement]})
    assert read == []
    assert "is not enforced yet" in why_not


def test_no_policy_and_one_without_statements_ask_for_nothing():
    assert read_resource_policy(None) == ([], "")
    assert read_resource_policy({"Version": "2012-10-17"}) == ([], "")
    assert rules_of([], "live", "GET", "/") is None


def test_a_pattern_of_many_stars_is_judged_at_once():
    pattern = "execute-api:/live/GET/" + "*a" * 200 + "*"
    assert rules(ALLOW, DENY | {"Resource": pattern}, path="/" + "a" * 150) is None
