"""The control socket: what the agent pushes is what the gate knows."""

import json
import signal
import time

import pytest

from gateway.entries import Entry, Mapping, Stage
from portal.embedded.ports import free_port
from tests.gateway.node import node_folder, start_nginx, wait_until
from tests.gateway.world import World, operation, stage


def lines(*entries):
    return "\n".join(entry if isinstance(entry, str) else entry.to_json() for entry in entries).encode()


def mapping(key, generation, to="open"):
    return Entry("mapping", key, generation, {"stage": to} if to else None)


@pytest.fixture
def fresh():
    """A node of one's own, with nothing in it."""
    with node_folder() as folder:
        node = start_nginx(folder, free_port(), entries_memory=2**20)
        yield node
        node.stop()


def test_status_tells_what_is_held(gate):
    status = gate.node.control("GET", "/status").json
    assert status["generation"] == gate.world.generation
    assert status["entries"] >= 3
    assert abs(status["started"] - time.time()) < 600
    assert status["capacity_bytes"] == gate.node.settings.entries_memory
    assert 0 < status["free_bytes"] < status["capacity_bytes"]
    assert status["connections"] >= 1
    assert status["workers"] == 2
    assert "nginx" in status["version"]


def test_an_entry_not_newer_than_the_one_held_is_skipped(gate):
    newest = gate.world.generation + 2
    gate.world.generation = newest
    assert gate.node.push([mapping("*|skip", newest)]).json == {"generation": newest}
    assert gate.node.call("GET", "/skip/x").status == 200
    gate.node.push([mapping("*|skip", newest, "nothing"), mapping("*|skip", newest - 1, None)])
    assert gate.node.call("GET", "/skip/x").status == 200
    gate.world.put("mapping", "*|skip", None)
    gate.node.push([mapping("*|skip", newest)])
    assert gate.node.call("GET", "/skip/x").status == 403


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("{", "Expected"),
        ("[1]", "unknown kind"),
        ("7", "not a JSON object"),
        ('{"kind":"cat","key":"x","generation":1,"data":null}', "unknown kind"),
        ('{"kind":"mapping","key":"","generation":1,"data":null}', "key is missing"),
        ('{"kind":"mapping","key":"x","generation":0,"data":null}', "generation must be"),
        ('{"kind":"mapping","key":"x","generation":1.5,"data":null}', "generation must be"),
        ('{"kind":"mapping","key":"x","generation":1,"data":"text"}', "data must be"),
        ('{"kind":"mapping","key":"x","generation":1,"data":{}}', "data.stage is missing"),
        ('{"kind":"key","key":"x","generation":1,"data":{"id":"a","active":1}}', "data."),
    ],
)
def test_a_bad_entry_is_named_by_its_line_and_the_good_ones_before_it_stay(gate, bad, reason):
    gate.world.generation += 1
    good = mapping("*|before-bad", gate.world.generation)
    answer = gate.node.control("POST", "/entries", lines(good, bad, mapping("*|after-bad", 10**9)))
    assert (answer.status, answer.json["line"]) == (400, 2)
    assert reason in answer.json["error"]
    assert gate.node.call("GET", "/before-bad/x").status == 200
    assert gate.node.call("GET", "/after-bad/x").status == 403


def test_a_change_is_seen_by_all_workers_at_once_without_a_reload(gate):
    workers = gate.node.workers()
    for turn in range(5):
        gate.world.publish("turn", {f"op-{turn}": operation("GET", f"/{turn}")})
        assert {gate.node.call("GET", f"/turn/{turn}").status for _ in range(8)} == {200}
        assert {gate.node.call("GET", f"/turn/{turn - 1}").status for _ in range(4)} == {403}
    assert gate.node.workers() == workers


def test_a_worker_that_missed_more_changes_than_the_ring_holds_starts_afresh(gate):
    gate.world.publish("behind", {"op": operation("GET", "/a")})
    assert {gate.node.call("GET", "/behind/a").status for _ in range(6)} == {200}
    filler = [
        gate.world.entry("mapping", f"*|filler-{number % 50}", Mapping("open")) for number in range(5000)
    ]
    changed = gate.world.entry("stage", "behind", stage({"op": operation("GET", "/b")}))
    for batch in ([changed, *filler[:2500]], filler[2500:]):
        assert gate.node.push(batch).status == 200
    assert {gate.node.call("GET", "/behind/b").status for _ in range(6)} == {200}


def test_full_memory_refuses_the_push_and_loses_nothing(fresh):
    world = World(fresh)
    big = {f"op-{number}": operation("GET", f"/{number}/{'x' * 200}") for number in range(200)}
    fitted = 0
    while (answer := fresh.push([world.entry("stage", f"big-{fitted}", stage(big))])).status == 200:
        fitted += 1
    assert fitted > 0
    assert (answer.status, answer.json) == (507, {"error": "full", "kind": "stage", "key": f"big-{fitted}"})
    held = fresh.control("GET", "/status").json
    assert (held["entries"], held["generation"]) == (fitted, world.generation - 1)
    bigger = {
        **big,
        **{f"more-{number}": operation("GET", f"/more/{number}/{'x' * 200}") for number in range(2000)},
    }
    assert fresh.push([world.entry("stage", "big-0", stage(bigger))]).status == 507
    world.put("mapping", "*|big", Mapping("big-0"))
    assert fresh.call("GET", f"/big/7/{'x' * 200}").status == 500  # found; its backend was never pushed
    world.put("stage", "big-0", None)
    assert fresh.control("GET", "/status").json["entries"] == fitted


def test_without_any_entries_a_node_is_not_ready(fresh):
    answer = fresh.call("GET", "/ping")
    assert (answer.status, answer.json) == (503, {"message": "Service Unavailable"})
    assert fresh.push([]).json == {"generation": 0}
    assert fresh.call("GET", "/ping").status == 200


def test_unknown_calls_of_the_control_socket_are_404(gate):
    assert gate.node.control("GET", "/entries").status == 404
    assert gate.node.control("POST", "/addresses", b"[1]").status == 400
    assert gate.node.control("POST", "/addresses", b"nonsense").status == 400


def test_a_restart_serves_the_last_good_entries_from_disk(gate):
    with node_folder() as folder:
        folder.mkdir()
        backend = gate.world.entry("backend", "backend", None)
        target = {"scheme": "http", "host": "127.0.0.1", "port": gate.backend.port, "path": ""}
        data = {"target": target, "connect_timeout_ms": 1000, "timeout_ms": 1000}
        made: Stage = stage({"op": operation("GET", "/a")})
        world = World(None)
        entries = [
            Entry(backend.kind, backend.key, 1, data),
            world.entry("stage", "s", made),
            Entry("mapping", "*|old", 3, {"stage": "s"}),
            Entry("mapping", "*|old", 4, None),
            Entry("mapping", "*|new", 5, {"stage": "s"}),
        ]
        text = lines(*entries) + b"\n" + b'{"kind":"mapping","key":"*|torn","gen'
        (folder / "entries.jsonl").write_bytes(text)
        node = start_nginx(folder, free_port())
        try:
            assert node.control("GET", "/status").json["generation"] == 5
            statuses = [node.call("GET", path).status for path in ("/new/a", "/old/a", "/torn/a")]
            assert statuses == [200, 403, 403]
        finally:
            node.stop()


def test_a_restart_without_the_agent_finds_named_backends_by_its_last_look_ups(gate):
    with node_folder() as folder:
        folder.mkdir()
        world = World(None)
        target = {"scheme": "http", "host": "backend.test", "port": gate.backend.port, "path": ""}
        data = {"target": target, "connect_timeout_ms": 1000, "timeout_ms": 1000}
        entries = [
            Entry("backend", "backend", 1, data),
            world.entry("stage", "s", stage({"op": operation("GET", "/a")})),
            Entry("mapping", "*|named", 3, {"stage": "s"}),
        ]
        (folder / "entries.jsonl").write_bytes(lines(*entries))
        (folder / "addresses.json").write_text('{"backend.test": ["127.0.0.1"]}')
        node = start_nginx(folder, free_port())
        try:
            assert node.call("GET", "/named/a").status == 200
        finally:
            node.stop()


def test_a_reload_keeps_entries_counters_and_the_lock(gate):
    gate.world.publish("kept-count", {"op": operation("GET", "/")})
    before = gate.node.workers()
    gate.node.process.send_signal(signal.SIGHUP)
    wait_until(lambda: set(gate.node.workers()).isdisjoint(before), seconds=40, what="new workers")
    assert gate.node.call("GET", "/kept-count").status == 200
    assert gate.node.control("GET", "/status").json["generation"] == gate.world.generation


def test_entries_of_a_control_plane_that_starts_anew_replace_the_newer_ones_without_a_gap(fresh):
    world = World(fresh)
    world.generation = 100
    for name in ("kept", "gone"):
        world.publish(name, {"op": operation("GET", "/")})
    world.put("key", "dead", None)
    assert fresh.control("POST", "/entries/start-over").status == 200
    assert fresh.call("GET", "/kept").status == 500  # found still; its backend was never pushed
    world.generation = 0
    world.publish("kept", {"op": operation("GET", "/x")})
    assert fresh.call("GET", "/kept").status == 403
    assert fresh.call("GET", "/gone").status == 500
    keep = json.dumps(["stage:gone"]).encode()
    assert fresh.control("POST", "/entries/sweep", keep).status == 200
    assert fresh.call("GET", "/gone").json == {"message": "Missing Authentication Token"}
    held = fresh.control("GET", "/status").json
    assert (held["entries"], held["generation"]) == (3, 2)
    assert fresh.control("POST", "/entries/sweep", b"[]").status == 200
    assert fresh.control("GET", "/status").json["entries"] == 2


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "jwt", "function": "arn"}, "authorizers.mine.kind"),
        ({"kind": "request"}, "authorizers.mine.function"),
        ({"kind": "token", "function": "arn"}, "authorizers.mine.identity"),
        ({"kind": "token", "function": "arn", "identity": []}, "authorizers.mine.identity"),
        ({"kind": "request", "function": "arn", "ttl": "x"}, "authorizers.mine.ttl"),
    ],
)
def test_an_authorizer_of_another_shape_is_refused(gate, fields, reason):
    entry = gate.world.entry("stage", "shapeless", stage({"op": operation("GET", "/x")}))
    entry.data["authorizers"] = {"mine": fields}
    answer = gate.node.push([entry])
    assert answer.status == 400
    assert reason in answer.json["error"]
