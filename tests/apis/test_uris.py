"""URIs of http_proxy integrations, and what a stage makes of them."""

import pytest

from apis.compile import Server, UriError, resolve_uri
from apis.openapi.uris import check_uri

CAPTURES = {"id": 0, "proxy": 1}


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("https://a.example", (Server("https", "a.example", 443), ["/"], "")),
        ("HTTP://A.Example:8080/", (Server("http", "a.example", 8080), ["/"], "")),
        ("http://[::1]:81/x", (Server("http", "::1", 81), ["/x"], "")),
        ("https://a.example/o/{id}.json", (Server("https", "a.example", 443), ["/o/", 0, ".json"], "")),
        ("https://a.example/{proxy+}?k=v w", None),
        (
            "https://a.example/{id}/{proxy}?k=ü",
            (Server("https", "a.example", 443), ["/", 0, "/", 1], "k=%C3%BC"),
        ),
        ("https://a.example/a%2Fb/ü", (Server("https", "a.example", 443), ["/a%2Fb/%C3%BC"], "")),
        (
            "https://${stageVariables.host}/${stageVariables.base}/{id}",
            (Server("https", "b.example", 8443), ["/v1/", 0], ""),
        ),
        ("https://münchen.example", (Server("https", "xn--mnchen-3ya.example", 443), ["/"], "")),
    ],
)
def test_a_uri_becomes_server_path_and_query(uri, expected):
    variables = {"host": "b.example:8443", "base": "v1"}
    if expected is None:
        with pytest.raises(UriError, match="spaces"):
            resolve_uri(uri, variables, CAPTURES)
    else:
        assert resolve_uri(uri, variables, CAPTURES) == expected


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("ftp://a.example", "http:// or https://"),
        ("a.example/x", "http:// or https://"),
        ("https://", "names no host"),
        ("https://user:pw@a.example", "user name"),
        ("https://a.example:99999", "port"),
        ("https://a.example:x", "port"),
        ("https://{id}.example", "host of the integration's URL has a placeholder"),
        ("https://a.example/{other}", "is no variable of the operation's path"),
        ("https://a.example/{id", "braces"),
        ("https://a.example/?x={id}", "query"),
        ("https://${stageVariables.none}/", "stage variable 'none' is not set"),
        ("https://a_b..example/", "neither a DNS name"),
        ("https://1.2.3/", "neither a DNS name"),
        ("http://169.254.169.254/", "cannot be a backend"),
        ("http://0.0.0.0/", "cannot be a backend"),
        ("https://a.example/\r\nHost: x", "control characters"),
        ("https://a.example\\@b", "backslashes"),
        ("https://[::1", "cannot be read"),
    ],
)
def test_a_uri_that_cannot_be_called_is_refused_with_a_reason(uri, reason):
    with pytest.raises(UriError, match=reason):
        resolve_uri(uri, {}, CAPTURES)


def test_a_text_of_a_stage_variable_cannot_leave_the_path_that_was_meant():
    server, path, _query = resolve_uri("https://a.example/${stageVariables.x}/y", {"x": "a?b"}, {})
    assert (server.host, path) == ("a.example", ["/a"])
    with pytest.raises(UriError, match="control characters"):
        resolve_uri("https://a.example/${stageVariables.x}", {"x": "a\nb"}, {})


def test_before_the_stage_is_known_only_placeholders_are_checked():
    check_uri("https://${stageVariables.host}/{id}?{x}", CAPTURES)
    with pytest.raises(UriError, match="no variable"):
        check_uri("https://${stageVariables.host}/{nobody}", CAPTURES)
    with pytest.raises(UriError, match="cannot be read"):
        check_uri("https://${stageVariables.host}/${stageVariables.a-b}", CAPTURES)
