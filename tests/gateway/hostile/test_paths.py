"""No other spelling of a path opens what a key guards, and no path climbs out of where it may lead."""

import re
from urllib.parse import unquote

import pytest

from tests.gateway.world import operation

SPELLINGS = [
    "/api/secret", "/api/secret/", "/api/secret?", "/api/secret?x=/open/", "/api/secret/x",
    "/api/secret;x", "/api/secret%3bx", "/api//secret", "//api/secret", "/api/./secret",
    "/api/open/../secret", "/api/open/x/../../secret", "/api/open/..%2fsecret",
    "/api/open/%2e%2e/secret", "/api/open/%2e%2e%2fsecret", "/api/open/.%2e/secret",
    "/api/open/..%5csecret", "/api/open/..\\secret", "/api/open/..;/secret", "/api/open/..%3b/secret",
    "/api/open/%252e%252e/secret", "/api/open/..%252fsecret", "/api/open/%c0%ae%c0%ae/secret",
    "/api/open/%u002e%u002e/secret", "/api/open/x/..;a=b/..;/secret", "/api/%73ecret", "/api/secre%74",
    "/api/%2573ecret", "/API/secret", "/api/SECRET", "/api/Secret", "/api/secret%20", "/api/secret%00",
    "/api/secret%0a", "/api/secret%09", "/api/secret%2f", "/api/secret%2fx", "/api/secret%5c",
    "/api/secret.", "/api/secret%2e", "/api%2fsecret", "/api%2Fopen%2F..%2Fsecret",
    "/api/open%2f../secret", "/api/open/%2fsecret", "/api/open//secret", "/open/../api/secret",
    "/%2e/api/secret", "/api/named/..%2fsecret", "/api/named/%2e%2e%2fsecret", "/api/named/..",
    "/api/named/..%5csecret", "/api/named/%2fsecret", "/api/named/x%2f..%2f..%2fsecret",
    "/api/named/..%00",
]  # fmt: skip


def as_a_lax_server_reads(path: str) -> str:
    """The path as the most forgiving backend would take it: decoded, backslashes and `;x` gone, dots resolved."""
    plain = unquote(path.partition("?")[0], encoding="latin-1").replace("\\", "/")
    kept: list[str] = []
    for segment in re.sub(r";[^/]*", "", plain).split("/"):
        if segment == ".." and kept:
            kept.pop()
        elif segment not in ("", ".", ".."):
            kept.append(segment.split("\x00")[0].strip().lower())
    return "/" + "/".join(kept)


@pytest.mark.parametrize("path", SPELLINGS)
def test_no_spelling_of_a_path_reaches_what_needs_a_key(hostile, path):
    answer = hostile.node.raw(
        b"GET %s HTTP/1.1\r\nHost: gate.test\r\nConnection: close\r\n\r\n" % path.encode(), seconds=1
    )
    assert answer == b"" or int(answer.split()[1]) < 500
    for reached in hostile.backend.paths():
        assert not as_a_lax_server_reads(reached).startswith("/secret"), reached


def test_the_key_opens_what_it_guards(hostile):
    assert hostile.node.call("GET", "/api/secret", key=hostile.key).status == 200
    assert hostile.node.call("GET", "/api/%73ecret", key=hostile.key).status == 200
    assert hostile.backend.paths()[0] == "/secret"


@pytest.mark.parametrize(
    "target",
    ["http://gate.test/api/secret", "http://other.test/api/secret", "http://gate.test:80/api/open/../secret",
     "gate.test/api/secret", "http:///api/secret", "https://gate.test/api/secret", "//gate.test/api/secret"],
)  # fmt: skip
def test_an_absolute_target_opens_nothing_either(hostile, target):
    hostile.node.raw(b"GET %s HTTP/1.1\r\nHost: gate.test\r\n\r\n" % target.encode(), seconds=1)
    assert [path for path in hostile.backend.paths() if "secret" in as_a_lax_server_reads(path)] == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PROPFIND", "X", "GETS", "get"])
@pytest.mark.parametrize(
    "override", ["X-HTTP-Method-Override", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Accel-Redirect"]
)  # fmt: skip
def test_headers_that_other_servers_believe_change_no_route(hostile, method, override):
    answer = hostile.node.call(method, "/api/secret", headers={override: "/api/open/x"})
    assert answer.status in (400, 403, 405)
    assert hostile.backend.requests == []


def test_the_mapping_of_another_host_is_not_reached_by_odd_spellings_of_it(hostile):
    hostile.world.publish("hidden", {"op": operation("ANY", "/{proxy+}")}, at="hidden.test|")
    for host in ("hidden.test:1", "HIDDEN.test", "hidden.test."):
        assert hostile.node.call("GET", "/x", host=host).status in (200, 400, 403)
    hostile.backend.clear()
    for host in ("hidden.test@evil", "evil/hidden.test", "hidden.test|", "hidden.test%00", "hidden.test,evil",
                 "hidden.test evil", "evil#hidden.test", "[hidden.test]", "*", "hidden.test|api"):  # fmt: skip
        answer = hostile.node.raw(
            b"GET /x HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n" % host.encode(), seconds=1
        )
        assert answer.split()[1] in (b"400", b"403"), host
    assert hostile.backend.requests == []
