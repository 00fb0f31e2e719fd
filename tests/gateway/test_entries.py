"""The contract between the halves."""

from gateway.entries import Integration, Operation, Quota, Stage, Subscription, Target, compact


def test_what_is_empty_by_default_is_left_out() -> None:
    assert compact(Subscription("plan", active=False)) == {"plan": "plan", "active": False}
    assert compact(Quota(5, "DAY")) == {
        "limit": 5, "period": "DAY", "offline_allowance": 0, "scope": "subscription",
    }  # fmt: skip


def test_an_empty_path_is_said_because_it_differs_from_none() -> None:
    integration = compact(Integration("http_proxy", target=Target("http", "a.example", 80)))
    assert integration == {
        "type": "http_proxy",
        "target": {"scheme": "http", "host": "a.example", "port": 80},
        "path": [],
        "timeout_ms": 29_000,
    }


def test_shapes_within_shapes_are_compact_too() -> None:
    operation = Operation("GET", "/", key_required=False, integration=Integration("unserved", reason="why"))
    stage = compact(Stage("api", "version", "live", "published", "one", {"op": operation}, {}))
    assert stage["operations"]["op"] == {
        "method": "GET",
        "path": "/",
        "key_required": False,
        "integration": {"type": "unserved", "path": [], "timeout_ms": 29_000, "reason": "why"},
    }
    assert stage["trie"] == {}
    assert not {"policy", "about"} & stage.keys()
