"""The route tree's builder."""

import pytest

from gateway.trie import UnroutableError, add, build


def test_each_kind_of_segment_gets_its_branch():
    trie = build(
        [
            ("root", "GET", "/"),
            ("list", "get", "/pets"),
            ("make", "POST", "/pets"),
            ("read", "GET", "/pets/{id}"),
            ("toys", "GET", "/pets/{name}/toys"),
            ("file", "GET", "/pets/{name}.json"),
            ("pair", "GET", "/pets/{x}-{y}"),
            ("rest", "ANY", "/pets/{proxy+}"),
        ]
    )
    assert trie == {
        "m": {"GET": "root"},
        "s": {
            "pets": {
                "m": {"GET": "list", "POST": "make"},
                "p": [[["", ".json"], {"m": {"GET": "file"}}], [["", "-", ""], {"m": {"GET": "pair"}}]],
                "v": {"m": {"GET": "read"}, "s": {"toys": {"m": {"GET": "toys"}}}},
                "g": {"ANY": "rest"},
            }
        },
    }


def test_patterns_stand_most_specific_first_whatever_the_order():
    paths = ["/{a}-{b}", "/v{a}-{b}.json", "/{a}.json", "/{a}json"]
    forward = build((path, "GET", path) for path in paths)
    backward = build((path, "GET", path) for path in reversed(paths))
    assert forward == backward
    assert [pattern[0] for pattern in forward["p"]] == [
        ["v", "-", ".json"],
        ["", ".json"],
        ["", "json"],
        ["", "-", ""],
    ]


def test_one_pattern_is_shared_by_the_methods_and_paths_below_it():
    trie = build([("a", "GET", "/{x}.json"), ("b", "PUT", "/{y}.json"), ("c", "GET", "/{y}.json/more")])
    assert trie == {
        "p": [[["", ".json"], {"m": {"GET": "a", "PUT": "b"}, "s": {"more": {"m": {"GET": "c"}}}}]]
    }


def test_literals_are_kept_percent_decoded():
    assert build([("a", "GET", "/caf%C3%A9/a%20b")]) == {"s": {"café": {"s": {"a b": {"m": {"GET": "a"}}}}}}


def test_a_trailing_slash_is_an_empty_segment_of_its_own():
    trie = build([("a", "GET", "/pets"), ("b", "GET", "/pets/")])
    assert trie == {"s": {"pets": {"m": {"GET": "a"}, "s": {"": {"m": {"GET": "b"}}}}}}


@pytest.mark.parametrize(
    ("method", "path", "reason"),
    [
        ("GET", "pets", "must start with /"),
        ("GET", "/pets?x=1", "must not contain"),
        ("GET", "/pets#x", "must not contain"),
        ("GET", "/a\nb", "must not contain"),
        ("GET", "/{a", "braces"),
        ("GET", "/a}", "braces"),
        ("GET", "/{}", "no name"),
        ("GET", "/{+}", "no name"),
        ("GET", "/{a}{b}", "side by side"),
        ("GET", "/{a+}/b", "last segment"),
        ("GET", "/x{a+}", "segment of its own"),
        ("GET", "/a/../b", "cannot be routed"),
        ("GET", "/a/%2e%2E", "cannot be routed"),
        ("GET", "/.", "cannot be routed"),
        ("GET", "/caf%E9", "can't decode"),
        ("G T", "/", "not an HTTP method"),
    ],
)
def test_what_cannot_be_routed_is_refused_with_the_reason(method, path, reason):
    with pytest.raises(UnroutableError, match=reason) as caught:
        build([("op1", method, path)])
    assert caught.value.operation == "op1"


def test_two_operations_at_one_route_are_refused_and_the_first_stays():
    trie = build([("a", "GET", "/pets/{id}")])
    with pytest.raises(UnroutableError, match="leads to operation a already"):
        add(trie, "b", "GET", "/pets/{name}")
    assert trie == {"s": {"pets": {"v": {"m": {"GET": "a"}}}}}
