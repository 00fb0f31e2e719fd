"""What Lambda authorizers answer, and what of it the gate keeps."""

import json

import pytest

from gateway.runtime.answers import LONGEST_ANSWER, Answer, BadAnswer, read_answer

ALLOW = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "arn:x"}
KEPT = {"allow": True, "resources": ["arn:x"], "others": False}


def read(statement=ALLOW, **more):
    raw = {"principalId": "ann", "policyDocument": {"Version": "2012-10-17", "Statement": statement}} | more
    return read_answer(json.dumps(raw).encode())


def test_a_usual_answer():
    context = {"text": "x", "number": 1.5, "flag": False, "nothing": None}
    found = read([ALLOW], context=context, usageIdentifierKey="key")
    assert found == Answer("ann", [KEPT], {"text": "x", "number": "1.5", "flag": "false"}, "key")
    assert read(ALLOW) == Answer("ann", [KEPT])
    assert read(principalId=7).principal == "7"


@pytest.mark.parametrize(
    ("actions", "counts"),
    [
        ({"Action": "*"}, True),
        ({"Action": ["s3:Get", "execute-api:*"]}, True),
        ({"Action": "execute-api:inv?ke"}, True),
        ({"Action": "execute-api:ManageConnections"}, False),
        ({"NotAction": "s3:*"}, True),
        ({"NotAction": ["s3:*", "execute-api:Invoke"]}, False),
        ({"Action": "execute-api.Invoke"}, False),
    ],
)
def test_only_statements_about_invoking_count(actions, counts):
    found = read({"Effect": "Deny", "Resource": "arn:x"} | actions)
    assert found.statements == ([KEPT | {"allow": False}] if counts else [])


def test_a_statement_about_all_other_resources():
    found = read({"Effect": "Allow", "Action": "*", "NotResource": ["a", "b"]})
    assert found.statements == [{"allow": True, "resources": ["a", "b"], "others": True}]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"principalId": None}, "principalId"),
        ({"principalId": ""}, "principalId"),
        ({"principalId": True}, "principalId"),
        ({"policyDocument": None}, "policyDocument"),
        ({"policyDocument": {}}, "Statement"),
        ({"policyDocument": {"Statement": []}}, "Statement"),
        ({"policyDocument": {"Statement": ["x"]}}, "Effect"),
        ({"policyDocument": {"Statement": ALLOW | {"Effect": "allow"}}}, "Effect"),
        ({"policyDocument": {"Statement": ALLOW | {"Action": []}}}, "Action"),
        ({"policyDocument": {"Statement": ALLOW | {"NotAction": "x"}}}, "Action"),
        ({"policyDocument": {"Statement": ALLOW | {"Resource": [1]}}}, "Resource"),
        ({"policyDocument": {"Statement": ALLOW | {"Resource": "x" * 513}}}, "512"),
        ({"policyDocument": {"Statement": ALLOW | {"Condition": {"Bool": {}}}}}, "Condition"),
        ({"context": {"x": {}}}, "context"),
        ({"context": {"x": []}}, "context"),
        ({"context": {"claims": "x"}}, "claims"),
        ({"context": {"a.b": "x"}}, "context"),
        ({"context": []}, "context"),
        ({"usageIdentifierKey": 5}, "usageIdentifierKey"),
    ],
)
def test_what_cannot_be_used_says_why_and_tells_no_value(changed, says):
    with pytest.raises(BadAnswer, match=says):
        read(**changed)


@pytest.mark.parametrize("text", [b"", b"x", b"[]", b'"x"', b"null", b"\xff", b"[" * 8000])
def test_what_is_no_object(text):
    with pytest.raises(BadAnswer):
        read_answer(text)


def test_an_answer_may_have_8_kb():
    room = LONGEST_ANSWER - len(
        json.dumps({"principalId": "ann", "policyDocument": {"Statement": ALLOW}, "x": ""})
    )
    text = json.dumps(
        {"principalId": "ann", "policyDocument": {"Statement": ALLOW}, "x": "x" * room}
    ).encode()
    assert len(text) == LONGEST_ANSWER
    assert read_answer(text).principal == "ann"
    with pytest.raises(BadAnswer, match="8192"):
        read_answer(text + b" ")
