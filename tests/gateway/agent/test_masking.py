"""No secret leaves the node in a path or a query string."""

import pytest

from gateway.agent.masking import LONGEST, masked
from tests.gateway.world import make_key


@pytest.mark.parametrize(
    ("uri", "path", "query"),
    [
        ("/orders/17?status=open&page=2", "/orders/17", "status=open&page=2"),
        ("/orders", "/orders", ""),
        ("/o?api_key=abc&x=1", "/o", "api_key=***&x=1"),
        ("/o?X-Api-Key=abc", "/o", "X-Api-Key=***"),
        ("/o?access%5Ftoken=abc&flag&empty=", "/o", "access%5Ftoken=***&flag&empty="),
        ("/o?password=hunter2&X-Amz-Signature=00", "/o", "password=***&X-Amz-Signature=***"),
        ("/o?q=eyJhbGciOiJIUzI1NiJ9.e30.abc", "/o", "q=***"),
        ("/o?sort=Bearer%20abc", "/o", "sort=***"),
        ("/things/3f2504e0-4f89-41d3-9a0c-0305e82c3301", "/things/3f2504e0-4f89-41d3-9a0c-0305e82c3301", ""),
        ("/t/0123456789abcdef0123456789abcdef/x", "/t/***/x", ""),
        ("/t/%67h_live_abc/x", "/t/***/x", ""),
    ],
)
def test_masked(uri, path, query):
    assert masked(uri) == (path, query)


def test_our_keys_are_masked_wherever_they_stand():
    key = make_key()
    for uri in (f"/a/{key}/b?c=d", f"/a?c={key}", f"/a?{key}", f"/a?{key}=1", f"/a/x{key}y"):
        assert key not in "?".join(masked(uri))
        assert key[8:40] not in "?".join(masked(uri))


def test_the_stages_own_parameter_is_masked_whatever_it_holds():
    assert masked("/a?who=me&a=1", "who") == ("/a", "who=***&a=1")
    assert masked("/a?wh%6F=me", "who") == ("/a", "wh%6F=***")


def test_what_is_kept_is_bounded():
    path, query = masked("/" + "a/" * 2_000 + "?" + "b=1&" * 2_000)
    assert (len(path), len(query)) == (LONGEST, LONGEST)
