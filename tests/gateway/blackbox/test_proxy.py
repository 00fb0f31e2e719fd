"""Calls that reach a backend, and backends that do not answer."""


def test_a_call_reaches_the_backend_below_the_base_path(gate):
    answer = gate.node.call("GET", "/open/a/b?x=1&y=%20z")
    assert answer.status == 200
    assert answer.json["path"] == "/a/b?x=1&y=%20z"
    assert answer.headers["x-backend"] == "one"
