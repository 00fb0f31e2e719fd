"""Calls that reach a backend, and backends that do not answer."""

import re
import socket
import time

import pytest

from gateway.entries import Integration, Target
from portal.embedded.ports import free_port
from tests.gateway.backends import Backend
from tests.gateway.world import operation, proxy


@pytest.fixture
def target(gate):
    return Target("http", "127.0.0.1", gate.backend.port, "/base")


def test_a_call_reaches_the_backend_below_the_base_path_unchanged(gate):
    answer = gate.node.call("GET", "/open/a%2Fb/%7Ec//d/?x=1&y=%20z&&q")
    assert answer.status == 200
    assert answer.json["path"] == "/a%2Fb/%7Ec//d/?x=1&y=%20z&&q"
    assert answer.headers["x-backend"] == "one"


@pytest.mark.parametrize(("called", "seen"), [("/open", "/"), ("/open/", "/"), ("/open?a=1", "/?a=1")])
def test_the_base_path_alone_is_the_backends_root(gate, called, seen):
    assert gate.node.call("GET", called).json["path"] == seen


def test_every_answer_carries_the_request_ids(gate):
    for path in ("/open/x", "/nowhere"):
        headers = gate.node.call("GET", path).headers
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", headers["x-amzn-requestid"])
        assert headers["x-amz-apigw-id"] == headers["x-amzn-requestid"]


def test_request_ids_are_unique_over_workers(gate):
    found = [gate.node.call("GET", "/nowhere").headers["x-amzn-requestid"] for _ in range(200)]
    assert len(set(found)) == 200
    assert gate.node.raw(b"GET / HTTP/9.9\r\n\r\n").lower().count(b"x-amzn-requestid") == 1


def test_the_backend_is_told_who_calls_and_by_which_request(gate):
    key = gate.world.subscribe("told", ["told"])
    gate.world.publish("told", {"op": operation("GET", "/x", key_required=True)})
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = gate.node.call(
        "GET", "/told/x", key=key, headers={"traceparent": trace, "X-Forwarded-For": "192.0.2.1"}
    )
    headers = answer.json["headers"]
    assert headers["x-gatehouse-subscription"] == "told"
    assert headers["x-gatehouse-key"] == "key-told"
    assert headers["x-request-id"] == answer.headers["x-amzn-requestid"]
    assert headers["traceparent"] == trace
    assert headers["host"] == f"127.0.0.1:{gate.backend.port}"
    assert headers["x-forwarded-host"] == "gate.test"
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-port"] == str(gate.node.settings.port)


def test_the_key_and_forged_ids_never_reach_the_backend(gate):
    forged = {
        "x-api-key": "secret",
        "x_api_key": "secret",
        "X-Gatehouse-Subscription": "forged",
        "X_Gatehouse_Subscription": "forged",
        "X-Gatehouse_Key": "forged",
        "X_Forwarded-For": "forged",
        "x-mine": "kept",
        "x_mine": "kept",
    }
    seen = gate.node.call("GET", "/open/x", headers=forged).json
    assert "secret" not in seen["headers"].values()
    assert "forged" not in seen["headers"].values()
    assert [name for name in seen["names"] if name.lower() in ("x-mine", "x_mine")] == ["x-mine", "x_mine"]


def test_a_backends_own_error_passes_as_it_is(gate):
    for status in (404, 429, 500, 502, 503, 504):
        answer = gate.node.call("GET", f"/open/x?status={status}")
        assert answer.status == status
        assert answer.headers["x-backend"] == "one"
        assert answer.json["backend"] == "one"
        assert "x-amzn-errortype" not in answer.headers


def test_the_server_header_is_the_backends(gate):
    assert gate.node.call("GET", "/open/x").headers["server"].startswith("BaseHTTP")
    assert "server" not in gate.node.call("GET", "/nowhere").headers


def test_a_backend_cannot_send_nginx_elsewhere(gate):
    answer = gate.node.call("GET", "/open/x?accel=/./refused")
    assert (answer.status, answer.json["backend"]) == (200, "one")


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH"])
def test_methods_and_bodies_pass(gate, method):
    seen = gate.node.call(method, "/open/x", body=b"hello").json
    assert (seen["method"], seen["body_length"]) == (method, 5)


def test_head_falls_back_to_get_in_routing_and_stays_head_at_the_backend(gate):
    gate.world.publish("head", {"get": operation("GET", "/x"), "post": operation("POST", "/y")})
    answer = gate.node.call("HEAD", "/head/x")
    assert (answer.status, answer.body) == (200, b"")
    assert gate.backend.seen[-1]["method"] == "HEAD"
    assert gate.node.call("HEAD", "/head/y").status == 403


def test_large_bodies_pass_both_ways(gate):
    size = 9 * 2**20
    assert gate.node.call("POST", "/open/x", body=b"z" * size).json["body_length"] == size
    assert len(gate.node.call("GET", f"/open/x?bytes={size}").body) == size
    chunks = (b"z" * 65536 for _ in range(32))
    seen = gate.node.call("POST", "/open/x", body=chunks).json
    assert (seen["headers"]["transfer-encoding"], seen["body_length"]) == ("chunked", 32 * 65536)


def test_a_body_above_the_limit_is_refused_as_aws_does(gate):
    head = b"POST /open/x HTTP/1.1\r\nHost: gate.test\r\nContent-Length: 10485761\r\n\r\n"
    answer = gate.node.raw(head, seconds=2)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert answer.endswith(b'{"message":"HTTP content length exceeded 10485760 bytes"}')
    assert b"x-amzn-ErrorType: RequestTooLargeException" in answer
    assert b"x-amzn-RequestId: " in answer


def test_path_query_and_method_of_the_integration_are_used(gate, target):
    integration = Integration(
        type="http_proxy", target=target, path=["/p/", 1, "/", 0, ".txt"], query="fixed=1", method="POST"
    )
    gate.world.publish("rewrite", {"op": operation("GET", "/{a}/{b}", integration=integration)})
    seen = gate.node.call("GET", "/rewrite/x%2Fy/z%20z?mine=2").json
    assert (seen["method"], seen["path"]) == ("POST", "/base/p/z%20z/x%2Fy.txt?fixed=1&mine=2")
    assert gate.node.call("GET", "/rewrite/x/y").json["path"] == "/base/p/y/x.txt?fixed=1"


def test_a_greedy_variable_is_put_into_the_path_whole(gate, target):
    integration = Integration(type="http_proxy", target=target, path=["/all/", 0])
    gate.world.publish("greedy-path", {"op": operation("ANY", "/{proxy+}", integration=integration)})
    assert gate.node.call("GET", "/greedy-path/a/b%20c/?d").json["path"] == "/base/all/a/b%20c/?d"


def test_the_backends_base_path_comes_first(gate):
    gate.world.backend("based", "127.0.0.1", gate.backend.port, path="/base")
    gate.world.publish("based", {"op": operation("GET", "/", integration=proxy("based"))})
    assert gate.node.call("GET", "/based").json["path"] == "/base"
    assert gate.node.call("GET", "/based/").json["path"] == "/base/"


def test_an_operation_that_cannot_be_served_says_so_and_costs_nothing(gate):
    gate.world.publish("unserved", {"op": operation("GET", "/", integration=Integration(type="unserved"))})
    answer = gate.node.call("GET", "/unserved")
    assert (answer.status, answer.json) == (500, {"message": "Internal server error"})
    assert answer.headers["x-amzn-errortype"] == "ApiConfigurationException"


def test_a_stage_without_its_backend_is_a_configuration_error(gate):
    gate.world.publish("lost", {"op": operation("GET", "/", integration=proxy("never-pushed"))})
    assert gate.node.call("GET", "/lost").status == 500


def test_connections_to_the_backend_are_kept(gate):
    backend = Backend("kept")
    gate.world.backend("kept", "127.0.0.1", backend.port)
    gate.world.publish("kept", {"op": operation("GET", "/", integration=proxy("kept"))})
    assert [gate.node.call("GET", "/kept").status for _ in range(30)] == [200] * 30
    assert backend.connections <= 2  # one for each worker
    backend.stop()


def test_a_backend_that_is_down_answers_502(gate):
    gate.world.backend("down", "127.0.0.1", free_port())
    gate.world.publish("down", {"op": operation("GET", "/", integration=proxy("down"))})
    answer = gate.node.call("GET", "/down")
    assert (answer.status, answer.json) == (502, {"message": "Network error communicating with endpoint"})
    assert answer.headers["x-amzn-errortype"] == "InternalServerErrorException"
    assert "x-amzn-requestid" in answer.headers


def test_a_backend_that_closes_before_it_answers_is_a_502(gate):
    assert gate.node.call("POST", "/open/x?drop=1").status == 502


def test_a_backend_whose_name_is_not_known_answers_502(gate):
    gate.world.backend("nameless", "nameless.test", gate.backend.port)
    gate.world.publish("nameless", {"op": operation("GET", "/", integration=proxy("nameless"))})
    assert gate.node.call("GET", "/nameless").status == 502
    gate.node.push_addresses(**{"Nameless.test": ["127.0.0.1"]})
    seen = gate.node.call("GET", "/nameless").json
    assert seen["headers"]["host"] == f"nameless.test:{gate.backend.port}"
    gate.node.push_addresses(**{"nameless.test": []})
    assert gate.node.call("GET", "/nameless").status == 502


def test_addresses_take_turns_and_a_dead_one_is_passed_over(gate):
    gate.world.backend("turns", "turns.test", gate.backend.port)
    gate.world.publish("turns", {"op": operation("GET", "/", integration=proxy("turns"))})
    gate.node.push_addresses(**{"turns.test": ["127.0.0.2", "127.0.0.1"]})  # one listens at 127.0.0.1 only
    assert [gate.node.call("GET", "/turns").status for _ in range(6)] == [200] * 6


def test_a_slow_backend_is_a_504_after_its_own_timeout(gate):
    gate.world.backend("slow", "127.0.0.1", gate.backend.port, timeout_ms=200)
    gate.world.publish("slow", {"op": operation("GET", "/", integration=proxy("slow"))})
    started = time.monotonic()
    answer = gate.node.call("GET", "/slow?sleep=1")
    assert 0.15 < time.monotonic() - started < 0.9
    assert (answer.status, answer.json) == (504, {"message": "Endpoint request timed out"})
    assert gate.node.call("GET", "/slow?sleep=0.05").status == 200


def test_a_timeout_is_not_tried_again_elsewhere(gate):
    gate.world.backend("once", "once.test", gate.backend.port, timeout_ms=200)
    gate.world.publish("once", {"op": operation("GET", "/", integration=proxy("once"))})
    gate.node.push_addresses(**{"once.test": ["127.0.0.1", "127.0.0.1"]})
    assert gate.node.call("GET", "/once?sleep=0.41").status == 504
    time.sleep(0.6)
    assert [seen["path"] for seen in gate.backend.seen].count("/?sleep=0.41") == 1


def test_a_websocket_upgrade_passes(gate):
    with socket.create_server(("127.0.0.1", 0)) as server:
        gate.world.backend("socket", "127.0.0.1", server.getsockname()[1])
        gate.world.publish("socket", {"op": operation("GET", "/", integration=proxy("socket"))})
        upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
        with socket.create_connection(("127.0.0.1", gate.node.settings.port), timeout=5) as client:
            client.sendall(b"GET /socket HTTP/1.1\r\nHost: gate.test\r\n" + upgrade + b"\r\n")
            side, _ = server.accept()
            with side:
                assert b"upgrade: websocket" in side.recv(65536).lower()
                side.sendall(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"
                )
                assert client.recv(65536).startswith(b"HTTP/1.1 101 ")
                client.sendall(b"ping")
                assert side.recv(10) == b"ping"
                side.sendall(b"pong")
                assert client.recv(10) == b"pong"


def test_a_name_that_loses_its_addresses_while_a_body_comes_is_a_502(gate):
    gate.world.backend("leaving", "leaving.test", gate.backend.port)
    gate.world.publish("leaving", {"op": operation("POST", "/", integration=proxy("leaving"))})
    gate.node.push_addresses(**{"leaving.test": ["127.0.0.1"]})
    head = b"POST /leaving HTTP/1.1\r\nHost: gate.test\r\nConnection: close\r\nContent-Length: 10\r\n\r\n"
    with socket.create_connection(("127.0.0.1", gate.node.settings.port), timeout=5) as client:
        client.sendall(head + b"12345")
        time.sleep(0.2)
        gate.node.push_addresses(**{"leaving.test": []})
        assert {gate.node.call("POST", "/leaving").status for _ in range(8)} == {502}  # both workers know
        client.sendall(b"67890")
        assert client.recv(65536).startswith(b"HTTP/1.1 502 ")
