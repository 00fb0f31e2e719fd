"""How large a call may be: bodies, URLs, headers."""

import shutil
import subprocess

import pytest

from gateway.entries import Certificate, Policy, Quota
from portal.embedded.ports import free_port
from tests.gateway.certificates import authority, leaf
from tests.gateway.node import node_folder, start_nginx
from tests.gateway.world import World, operation

LIMIT = 1000


@pytest.fixture(scope="module", autouse=True)
def key(gate):
    operations = {"op": operation("POST", "/x", key_required=True)}
    gate.world.publish("small", operations, policy=Policy(max_body=LIMIT))
    gate.agent.allow("small", 1000)
    return gate.world.subscribe("small", ["small"], quota=Quota(limit=1000, period="DAY"))


def chunked(gate, key, *sizes, path="/small/x"):
    """Send a body without a length; returns status and body of the answer."""
    head = f"POST {path} HTTP/1.1\r\nHost: g\r\nx-api-key: {key}\r\nConnection: close\r\n"
    chunks = b"".join(b"%x\r\n%s\r\n" % (size, b"z" * size) for size in sizes)
    answer = gate.node.raw(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def left(answer):
    """Calls left in the quota, as the answer says."""
    return int(answer.headers["ratelimit"].split(";r=")[1].split(";")[0])


def test_a_body_up_to_the_limit_passes(gate, key):
    for size in (0, 1, LIMIT):
        answer = gate.node.call("POST", "/small/x", key=key, body=b"z" * size)
        assert (answer.status, answer.json["body_length"]) == (200, size)


def test_a_body_above_the_limit_is_refused_and_costs_nothing(gate, key):
    before = left(gate.node.call("POST", "/small/x", key=key, body=b""))
    seen = len(gate.backend.seen)
    for _ in range(3):
        answer = gate.node.call("POST", "/small/x", key=key, body=b"z" * (LIMIT + 1))
        assert (answer.status, answer.json) == (413, {"message": "HTTP content length exceeded 1000 bytes"})
        assert answer.headers["x-amzn-errortype"] == "RequestTooLargeException"
        assert chunked(gate, key, 600, 401)[0] == 413
    assert len(gate.backend.seen) == seen
    assert left(gate.node.call("POST", "/small/x", key=key, body=b"")) == before - 1


def test_a_body_without_a_length_is_counted(gate, key):
    for sizes in ((), (1,), (500, 500), (LIMIT,)):
        status, body = chunked(gate, key, *sizes)
        assert status == 200, body
        assert b'"body_length": %d' % sum(sizes) in body
    for sizes in ((LIMIT + 1,), (500, 501), (200_000,), (70_000, 70_000)):
        status, body = chunked(gate, key, *sizes)
        assert (status, body) == (413, b'{"message":"HTTP content length exceeded 1000 bytes"}')


def test_a_body_beyond_the_nodes_own_limit_gives_no_unit_that_was_not_taken(gate, key):
    before = left(gate.node.call("POST", "/small/x", key=key, body=b""))
    for _ in range(3):
        head = f"POST /small/x HTTP/1.1\r\nHost: g\r\nx-api-key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
        gate.node.raw(head.encode() + (b"100000\r\n" + b"z" * 0x100000 + b"\r\n") * 11, seconds=1)
        gate.node.raw(head.encode() + b"not a size\r\n", seconds=1)
    assert left(gate.node.call("POST", "/small/x", key=key, body=b"")) == before - 1


def test_a_body_that_turns_out_malformed_gives_its_unit_back(gate):
    gate.world.publish("torn", {"op": operation("POST", "/x", key_required=True)})
    gate.agent.allow("torn", 1000)
    key = gate.world.subscribe("torn", ["torn"], quota=Quota(limit=1000, period="DAY"))
    before = left(gate.node.call("POST", "/torn/x", key=key, body=b""))
    for _ in range(3):
        head = f"POST /torn/x HTTP/1.1\r\nHost: g\r\nx-api-key: {key}\r\nTransfer-Encoding: chunked\r\n\r\n"
        answer = gate.node.raw(head.encode() + b"3\r\nabc\r\nnot a size\r\n", seconds=1)
        assert answer.startswith(b"HTTP/1.1 400 ")
    assert left(gate.node.call("POST", "/torn/x", key=key, body=b"")) == before - 1


def test_a_key_is_asked_for_before_the_body_is_read(gate):
    assert gate.node.call("POST", "/small/x", body=b"z" * 5000).status == 403


def test_large_bodies_pass_a_larger_limit(gate):
    gate.world.publish("large", {"op": operation("POST", "/x")}, policy=Policy(max_body=5_000_000))
    assert gate.node.call("POST", "/large/x", body=b"z" * 3_000_000).json["body_length"] == 3_000_000
    status, body = chunked(gate, "", *[1_000_000] * 4, path="/large/x")
    assert status == 200, body
    assert b'"body_length": 4000000' in body
    assert chunked(gate, "", *[1_000_000] * 6, path="/large/x")[0] == 413


def test_an_operation_may_allow_more_than_its_stage(gate):
    operations = {
        "small": operation("POST", "/small"),
        "large": operation("POST", "/large", policy=Policy()),
    }
    gate.world.publish("sizes", operations, policy=Policy(max_body=10))
    assert gate.node.call("POST", "/sizes/small", body=b"z" * 11).status == 413
    assert gate.node.call("POST", "/sizes/large", body=b"z" * 11).status == 200


def test_urls_up_to_awss_length_pass(gate):
    path = "/open/" + "x" * (10_240 - len("/open/"))
    assert gate.node.call("GET", path).status == 200
    for longer in (path + "y", "/open/x?" + "q" * 10_240):
        answer = gate.node.call("GET", longer)
        assert (answer.status, answer.json) == (414, {"message": "Bad Request"})


def test_headers_up_to_awss_sum_pass_and_endless_ones_do_not(gate):
    fits = {f"x-h{number}": "v" * 1024 for number in range(20)}
    assert gate.node.call("GET", "/open/x", headers=fits).status == 200
    endless = {f"x-h{number}": "v" * 1024 for number in range(80)}
    answer = gate.node.call("GET", "/open/x", headers=endless)
    assert (answer.status, answer.json) == (431, {"message": "Bad Request"})
    assert gate.node.call("GET", "/open/x", headers={"x-h": "v" * 17_000}).status == 431


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_a_body_without_a_length_is_counted_in_http_2_too(gate, tmp_path):
    root = authority()
    trust, _ = root.files(tmp_path, "root")
    with node_folder() as folder:
        node = start_nginx(folder, free_port(), tls_port=(port := free_port()))
        try:
            world = World(node)
            world.backend("backend", "127.0.0.1", gate.backend.port)
            world.publish("small", {"op": operation("PUT", "/x")}, policy=Policy(max_body=LIMIT))
            made = leaf("two.test", issuer=root)
            world.put("certificate", "two.test", Certificate(made.pem, made.private_key))
            command = [
                "curl",
                "-s",
                "--http2",
                "--cacert",
                str(trust),
                "--resolve",
                f"two.test:{port}:127.0.0.1",
            ]
            command += ["-w", " %{http_version} %{http_code}", "-T", "-", f"https://two.test:{port}/small/x"]
            for size, end in (
                (LIMIT, b" 2 200"),
                (0, b" 2 200"),
                (LIMIT + 1, b" 2 413"),
                (300_000, b" 2 413"),
            ):
                done = subprocess.run(command, input=b"z" * size, capture_output=True, check=False)
                assert done.stdout.endswith(end), (size, done.stdout, node.errors())
        finally:
            node.stop()
