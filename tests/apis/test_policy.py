"""Policies in their JSON form: what is taken, and where a refusal points."""

import pytest

from apis.policy import (
    Limits,
    PolicyError,
    effective,
    read_access_log,
    read_compress_from,
    read_key_source,
    read_policy,
    read_responses,
    remarks,
)
from apis.policy.access_log import PRESETS
from apis.policy.ip import NOBODY, both

WHOLE = {
    "throttle": {"rate": 0.5, "burst": 0},
    "ip": {"allow": ["10.0.0.0/8"], "deny": ["2001:db8::/32"]},
    "cors": {"origins": ["https://*.example.com"], "methods": ["GET"], "headers": ["X-A"], "max_age": 60},
    "cache": {"ttl": 3_600, "keys": ["query.page", "header.accept", "path.id"], "invalidation": "refuse"},
    "retries": {"attempts": 2, "on": ["error", "503"]},
    "timeout_ms": 50,
    "max_body": 0,
}


def test_a_whole_policy_reads_as_it_stands_and_reads_the_same_again():
    assert read_policy(WHOLE) == WHOLE
    assert read_policy(read_policy(WHOLE)) == WHOLE
    assert read_policy({}) == {}
    assert read_policy({"cache": None}) == {"cache": None}


def test_what_is_left_out_gets_its_default_and_spellings_become_one():
    assert read_policy({"cors": {"origins": ["HTTPS://A.example/"]}})["cors"] == {
        "origins": ["https://a.example"],
        "methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
    }
    assert read_policy({"ip": {"allow": ["1.2.3.4", "1.2.3.4/32"]}})["ip"] == {
        "allow": ["1.2.3.4/32"],
        "deny": [],
    }
    assert read_policy({"retries": {"attempts": 1}})["retries"] == {"attempts": 1, "on": ["error"]}
    assert read_policy({"retries": {"attempts": 1, "on": [502]}})["retries"]["on"] == ["502"]
    keys = ["method.request.querystring.q", "method.request.header.Accept", "header.accept"]
    assert read_policy({"cache": {"ttl": 1, "keys": keys}})["cache"]["keys"] == ["query.q", "header.accept"]


@pytest.mark.parametrize(
    ("policy", "field", "words"),
    [
        ([], "policy", "Give an object"),
        ({"cahce": {}}, "policy.cahce", "Did you mean cache?"),
        ({"zzz": 1}, "policy.zzz", "Known: throttle"),
        ({"cache": {}}, "policy.cache.ttl", "required"),
        ({"cache": {"ttl": 3_601}}, "policy.cache.ttl", "from 0 to 3,600"),
        ({"cache": {"ttl": True}}, "policy.cache.ttl", "whole number"),
        ({"cache": {"ttl": 1.5}}, "policy.cache.ttl", "whole number"),
        ({"cache": {"ttl": 1, "keys": ["page"]}}, "policy.cache.keys.0", "query.NAME"),
        ({"cache": {"ttl": 1, "keys": "page"}}, "policy.cache.keys", "a list"),
        ({"cache": {"ttl": 1, "invalidation": "x"}}, "policy.cache.invalidation", "warn, allow"),
        ({"throttle": {"rate": 1}}, "policy.throttle.burst", "required"),
        ({"throttle": {"rate": -1, "burst": 1}}, "policy.throttle.rate", "0 (= block)"),
        ({"throttle": {"rate": float("inf"), "burst": 1}}, "policy.throttle.rate", "0 (= block)"),
        ({"ip": {"allow": ["10.0.0.1/8"]}}, "policy.ip.allow.0", "write 10.0.0.0/8"),
        ({"ip": {"deny": ["somewhere"]}}, "policy.ip.deny.0", "no address"),
        ({"ip": {"allow": [1]}}, "policy.ip.allow.0", "no address"),
        ({"ip": ["10.0.0.0/8"]}, "policy.ip", "allow, deny"),
        ({"cors": {"origins": []}}, "policy.cors.origins", "Name an origin"),
        ({"cors": {"origins": ["a.example"]}}, "policy.cors.origins.0", "https://app.example.com"),
        ({"cors": {"origins": ["https://a.example/x"]}}, "policy.cors.origins.0", "Give an origin"),
        ({"cors": {"origins": ["*"], "credentials": True}}, "policy.cors.credentials", "name the origins"),
        ({"cors": {"origins": ["*"], "methods": ["BREW"]}}, "policy.cors.methods.0", "Use one of GET"),
        ({"cors": {"origins": ["*"], "headers": ["a b"]}}, "policy.cors.headers.0", "header name"),
        ({"cors": {"origins": ["*"], "max_age": 90_000}}, "policy.cors.max_age", "86,400"),
        ({"retries": {"attempts": 6}}, "policy.retries.attempts", "from 0 to 5"),
        ({"retries": {"attempts": 1, "on": ["500"]}}, "policy.retries.on.0", "Use one of error"),
        ({"timeout_ms": 49}, "policy.timeout_ms", "from 50 to 29,000"),
        ({"timeout_ms": 29_001}, "policy.timeout_ms", "from 50 to 29,000"),
        ({"max_body": -1}, "policy.max_body", "bytes"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_at_its_field(policy, field, words):
    with pytest.raises(PolicyError) as caught:
        read_policy(policy)
    assert caught.value.field == field
    assert words in caught.value.message


def test_an_installation_may_allow_longer_waits():
    assert read_policy({"timeout_ms": 120_000}, limits=Limits(120_000)) == {"timeout_ms": 120_000}


def test_the_most_specific_level_decides_field_by_field_and_null_switches_off():
    levels = [
        {"cache": None, "max_body": 5},
        {"cache": {"ttl": 5}, "retries": {"attempts": 0, "on": ["error"]}},
        {"cache": {"ttl": 9}, "retries": {"attempts": 2, "on": ["error"]}, "timeout_ms": 60},
        None,
    ]
    assert effective(levels) == {"max_body": 5, "timeout_ms": 60}
    assert effective([{"cache": {"ttl": 0}}, {"ip": {"allow": [], "deny": []}}]) == {}


def test_rules_of_two_levels_let_in_only_whom_both_let_in():
    one = {"allow": ["10.0.0.0/8", "192.0.2.0/24"], "deny": ["10.1.0.0/16"]}
    other = {"allow": ["10.2.0.0/16", "0.0.0.0/0"], "deny": []}
    assert both(one, other) == {
        "allow": ["10.2.0.0/16", "10.0.0.0/8", "192.0.2.0/24"],
        "deny": ["10.1.0.0/16"],
    }
    assert both(one, {"allow": [], "deny": ["::/0"]}) == {
        "allow": one["allow"],
        "deny": ["10.1.0.0/16", "::/0"],
    }
    assert both(one, {"allow": ["2001:db8::/32"], "deny": []}) == NOBODY


def test_a_throttle_above_that_of_the_whole_stage_is_told():
    operations = {
        "GET /a": {"throttle": {"rate": 20, "burst": 5}},
        "GET /b": {"throttle": None},
        "GET /c": {},
    }
    (only,) = remarks({"rate": 10, "burst": 5}, operations)
    assert only.startswith("GET /a: 20 calls a second is more than the 10")
    assert remarks(None, operations) == []


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({"place": "header"}, {"place": "header", "name": "x-api-key"}),
        ({"place": "header", "name": "X-My-Key"}, {"place": "header", "name": "x-my-key"}),
        ({"place": "query", "name": "apiKey"}, {"place": "query", "name": "apiKey"}),
        ({"place": "bearer"}, {"place": "bearer", "name": ""}),
        ({"place": "authorizer"}, {"place": "authorizer", "name": ""}),
    ],
)
def test_a_key_source_is_read(given, read):
    assert read_key_source(given, "key_source") == read


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({}, "place"),
        ({"place": "cookie"}, "place"),
        ({"place": "query"}, "name"),
        ({"place": "bearer", "name": "x"}, "name"),
        ({"place": "header", "name": "Authorization"}, "name"),
        ({"place": "header", "name": "a b"}, "name"),
    ],
)
def test_a_key_source_that_cannot_be_is_refused(given, field):
    with pytest.raises(PolicyError) as caught:
        read_key_source(given, "key_source")
    assert caught.value.field == f"key_source.{field}"


def test_gateway_responses_are_read():
    given = {
        "THROTTLED": {
            "status": 503,
            "headers": {
                "Retry-After": "'1'",
                "X-Path": "context.path",
                "X-Q": "method.request.querystring.q",
            },
            "templates": {"application/json": '{"m":$context.error.messageString}\n'},
        },
        "DEFAULT_4XX": {},
    }
    assert read_responses(given, "responses") == given


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"TEAPOT": {}}, "TEAPOT"),
        ({"THROTTLED": {"status": 42}}, "THROTTLED.status"),
        ({"THROTTLED": {"headers": {"A B": "'x'"}}}, "THROTTLED.headers.A B"),
        ({"THROTTLED": {"headers": {"Content-Length": "'1'"}}}, "THROTTLED.headers.Content-Length"),
        ({"THROTTLED": {"headers": {"X": "plain"}}}, "THROTTLED.headers.X"),
        ({"THROTTLED": {"headers": {"X": "'a\r\nSet-Cookie: b'"}}}, "THROTTLED.headers.X"),
        ({"THROTTLED": {"templates": {"json": "x"}}}, "THROTTLED.templates.json"),
        ({"THROTTLED": {"templates": {"text/plain": "x" * 20_000}}}, "THROTTLED.templates.text/plain"),
        ({"THROTTLED": {"body": "x"}}, "THROTTLED.body"),
    ],
)
def test_a_gateway_response_that_cannot_be_is_refused(given, field):
    with pytest.raises(PolicyError) as caught:
        read_responses(given, "responses")
    assert caught.value.field == f"responses.{field}"


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_of_the_access_log_is_a_format(preset):
    assert read_access_log(PRESETS[preset], "access_log") == PRESETS[preset]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("$context.status", "must hold $context.requestId"),
        ("$context.requestId\n$context.status", "one line"),
        ("$context.requestId $context.stutas", "no variable $context.stutas"),
        ("$context.requestId $status", "begin with $context"),
        ("$context.requestId" + "x" * 3_072, "3,072 bytes"),
        (7, "Give a text"),
    ],
)
def test_an_access_log_that_cannot_be_written_is_refused(text, words):
    with pytest.raises(PolicyError) as caught:
        read_access_log(text, "access_log")
    assert words in caught.value.message


def test_authorizers_may_have_properties_of_any_name_in_the_access_log():
    text = "$context.extendedRequestId $context.authorizer.team, $context.authorizer.claims.sub."
    assert read_access_log(text, "access_log") == text
    assert read_access_log("", "access_log") == ""


def test_compression_begins_within_amazons_bounds():
    assert read_compress_from(None, "compress_from") is None
    assert read_compress_from(10_485_760, "compress_from") == 10_485_760
    with pytest.raises(PolicyError):
        read_compress_from(10_485_761, "compress_from")
