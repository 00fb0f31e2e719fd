"""Access logs in the provider's format."""

import json
import os
import pwd
import re
import time
from datetime import UTC, datetime

import pytest

from gateway.entries import Canary, Cors, Mapping, Policy
from portal.embedded.ports import free_port
from tests.gateway.node import is_root, node_folder, start_nginx, wait_until
from tests.gateway.world import World, operation, proxy, stage

CLF = (
    '$context.identity.sourceIp $context.identity.caller - [$context.requestTime] "$context.httpMethod '
    '$context.path $context.protocol" $context.status $context.responseLength $context.requestId'
)

VARIABLES = """
    accountId apiId stage deploymentId resourceId resourcePath routeKey requestId extendedRequestId httpMethod path
    protocol domainName domainPrefix requestTime requestTimeEpoch identity.sourceIp identity.userAgent identity.apiKeyId
    identity.apiKey error.message error.responseType status responseLength responseLatency integrationLatency
    integration.latency integrationStatus integration.status customDomain.basePathMatched isCanaryRequest
    authorizer.principalId tlsVersion nonsense dataProcessed
"""


def lines(world, stage, number):
    """The first `number` lines of a stage's log, as soon as they are there."""
    path = world.node.settings.access_log_folder / f"{stage}.log"
    wait_until(
        lambda: path.exists() and path.read_bytes().count(b"\n") >= number,
        seconds=3,
        what="an access log's line",
    )
    return path.read_text().splitlines()


@pytest.fixture
def publish(gate):
    def do(name, text, **more):
        gate.world.backend("nobody", "127.0.0.1", 1)
        operations = {
            "op-x": operation("ANY", "/x/{id}"),
            "gone": operation("GET", "/gone", integration=proxy("nobody")),
            "keyed": operation("GET", "/keyed", key_required=True),
        }
        gate.world.publish(name, operations, access_log=text, version_id="v1234567890", **more)

    return do


def test_the_common_log_format(gate, publish):
    publish("clf", CLF)
    answer = gate.node.call("POST", "/clf/x/1?secret=s", body=b"12345")
    (line,) = lines(gate.world, "clf", 1)
    found = re.fullmatch(
        r"127\.0\.0\.1 - - \[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000)\] "
        r'"POST /clf/x/1 HTTP/1\.1" 200 (\d+) (\S+)',
        line,
    )
    assert found, line
    assert abs(datetime.strptime(found[1], "%d/%b/%Y:%H:%M:%S %z").timestamp() - time.time()) < 5
    assert (found[2], found[3]) == (str(len(answer.body)), answer.headers["x-amzn-requestid"])


def test_every_variable_in_json(gate, publish):
    names = VARIABLES.split()
    text = "{" + ",".join(f'"{name}":"$context.{name}"' for name in names) + "}"
    publish("every", text, organization="org1")
    headers = {"User-Agent": "me/1", "x-api-key": "secret", "Authorization": "Bearer secret"}
    answer = gate.node.call("GET", "/every/x/1?sleep=0.05&token=secret", headers=headers, host="shop.example")
    (line,) = lines(gate.world, "every", 1)
    assert "secret" not in line
    seen = json.loads(line)
    assert abs(int(seen.pop("requestTimeEpoch")) / 1000 - time.time()) < 5
    assert 50 <= int(seen.pop("responseLatency")) < 2000
    latency = seen.pop("integrationLatency")
    assert 50 <= int(latency) < 2000
    assert seen.pop("integration.latency") == latency
    assert datetime.strptime(seen.pop("requestTime"), "%d/%b/%Y:%H:%M:%S %z").tzinfo == UTC
    assert int(seen.pop("dataProcessed")) > len(answer.body)
    assert seen == {
        "accountId": "org1", "apiId": "v1234567890", "stage": "live", "deploymentId": "d1", "resourceId": "op-x",
        "resourcePath": "/x/{id}", "routeKey": "ANY /x/{id}", "requestId": answer.headers["x-amzn-requestid"],
        "extendedRequestId": answer.headers["x-amz-apigw-id"], "httpMethod": "GET", "path": "/every/x/1",
        "protocol": "HTTP/1.1", "domainName": "shop.example", "domainPrefix": "shop", "identity.sourceIp": "127.0.0.1",
        "identity.userAgent": "me/1", "identity.apiKeyId": "-", "identity.apiKey": "-", "error.message": "-",
        "error.responseType": "-", "status": "200", "responseLength": str(len(answer.body)), "integrationStatus": "200",
        "integration.status": "200", "customDomain.basePathMatched": "every", "isCanaryRequest": "-",
        "authorizer.principalId": "-", "tlsVersion": "-", "nonsense": "-",
    }  # fmt: skip


def test_bare_values_of_a_json_format_are_json(gate, publish):
    text = '{"status":$context.status,"none":$context.none,"text":$context.httpMethod,"m":$context.error.messageString}'
    publish("bare", text)
    gate.node.call("GET", "/bare/x/1")
    gate.node.call("GET", "/bare/keyed")
    read = [json.loads(line) for line in lines(gate.world, "bare", 2)]
    assert sorted(read, key=lambda each: each["status"]) == [
        {"status": 200, "none": "-", "text": "GET", "m": "-"},
        {"status": 403, "none": "-", "text": "GET", "m": "Forbidden"},
    ]


def test_refusals_and_failures_are_there_with_their_reason(gate, publish):
    publish(
        "failed", "$context.error.responseType,$context.status,$context.error.message,$context.resourcePath"
    )
    for path in ("keyed", "nothing", "gone", "x/1"):
        gate.node.call("GET", f"/failed/{path}")
    head = b"POST /failed/x/1 HTTP/1.1\r\nHost: g\r\nContent-Length: 99999999\r\n\r\n"
    gate.node.raw(head, seconds=1)
    assert sorted(lines(gate.world, "failed", 5)) == [
        "-,200,-,/x/{id}",
        "INTEGRATION_FAILURE,502,Network error communicating with endpoint,/gone",
        "INVALID_API_KEY,403,Forbidden,/keyed",
        "MISSING_AUTHENTICATION_TOKEN,403,Missing Authentication Token,-",
        "REQUEST_TOO_LARGE,413,HTTP content length exceeded 10485760 bytes,-",
    ]


def test_the_key_is_named_by_its_id(gate, publish):
    publish("named", "$context.identity.apiKeyId $context.identity.apiKey")
    key = gate.world.subscribe("named", ["named"])
    assert gate.node.call("GET", "/named/keyed", key=key).status == 200
    assert lines(gate.world, "named", 1) == ["key-named -"]


def test_preflights_are_there(gate, publish):
    publish(
        "flights",
        "$context.httpMethod $context.status",
        policy=Policy(cors=Cors(origins=["*"], methods=["GET"])),
    )
    headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    answer = gate.node.call("OPTIONS", "/flights/x/1", headers=headers)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (204, "*")
    assert lines(gate.world, "flights", 1) == ["OPTIONS 204"]


@pytest.mark.parametrize(
    "agent",
    [
        b'a"b\\c',
        b"tab\there",
        b"\xff\xfe\xc3",
        "\u00e4\u20ac\U0001f600".encode(),
        b"</script>$context.status",
    ],
)
def test_what_a_client_sends_stays_one_valid_line(gate, publish, agent):
    name = f"odd{len(agent)}"
    publish(name, '{"agent":"$context.identity.userAgent","bare":$context.identity.userAgent}')
    request = (
        f"GET /{name}/x/1 HTTP/1.1\r\nHost: g\r\nConnection: close\r\nUser-Agent: ".encode()
        + agent
        + b"\r\n\r\n"
    )
    assert gate.node.raw(request).startswith(b"HTTP/1.1 200")
    (line,) = lines(gate.world, name, 1)
    seen = json.loads(line)
    assert seen["agent"] == seen["bare"]
    try:
        assert seen["agent"] == agent.decode()
    except UnicodeDecodeError:
        assert seen["agent"] == agent.decode("latin-1")


def test_a_format_with_line_ends_is_one_line(gate, publish):
    publish("folded", '{ "a": 1,\n  "s": "$context.status"\r\n}')
    gate.node.call("GET", "/folded/x/1")
    (line,) = lines(gate.world, "folded", 1)
    assert json.loads(line) == {"a": 1, "s": "200"}


def test_canary_calls_say_so(gate):
    operations = {"op": operation("GET", "/x")}
    trie = stage(operations).trie
    canary = Canary(percent=100, deployment="d2", operations=operations, trie=trie)
    gate.world.publish(
        "birds", operations, canary=canary, access_log="$context.isCanaryRequest $context.deploymentId"
    )
    gate.node.call("GET", "/birds/x")
    assert lines(gate.world, "birds", 1) == ["true d2"]


def test_the_base_path_of_an_address(gate, publish):
    publish("based", "$context.customDomain.basePathMatched")
    gate.world.put("mapping", "own.example|", Mapping(stage="based"))
    gate.world.put("mapping", "own.example|a/b", Mapping(stage="based"))
    gate.world.put("mapping", "v123456789.execute-api|live", Mapping(stage="based"))
    for host, path in (
        ("own.example", "/x/1"),
        ("own.example", "/a/b/x/1"),
        ("v123456789.execute-api.here", "/live/x/1"),
    ):
        assert gate.node.call("GET", path, host=host).status == 200
    assert lines(gate.world, "based", 3) == ["(none)", "a/b", "-"]


def test_a_stage_without_a_format_writes_nothing(gate):
    gate.node.call("GET", "/open/x")
    assert not (gate.node.settings.access_log_folder / "open.log").exists()


def test_files_are_bounded_and_rotated(gate):
    with node_folder() as folder:
        logs = folder.parent / "elsewhere"
        node = start_nginx(
            folder, free_port(), access_log_dir=logs, access_log_size=2000, access_log_files=3, workers="2"
        )
        try:
            world = World(node)
            world.backend("backend", "127.0.0.1", gate.backend.port)
            world.publish(
                "turns", {"op": operation("GET", "/x")}, access_log="$context.requestId " + "z" * 60
            )
            ids = [node.call("GET", "/turns/x").headers["x-amzn-requestid"] for _ in range(100)]
            wait_until(lambda: ids[-1] in (logs / "turns.log").read_text(), seconds=3, what="the last line")
            assert sorted(path.name for path in logs.iterdir()) == ["turns.log", "turns.log.1", "turns.log.2"]
            kept = [(logs / f"turns.log{end}").read_text() for end in (".2", ".1", "")]
            assert all(len(text) < 2000 + 2 * 98 for text in kept)
            seen = [line.split()[0] for line in "".join(kept).splitlines()]
            assert sorted(seen) == sorted(ids[-len(seen) :])
            assert len(seen) >= 40
        finally:
            node.stop()


@pytest.mark.skipif(not is_root(), reason="only root's workers run as somebody else")
def test_a_log_that_cannot_be_written_fails_no_call(gate, publish):
    publish("barred", "$context.status")
    folder = gate.node.settings.access_log_folder
    os.chmod(folder, 0o500)
    os.chown(folder, 0, 0)
    try:
        assert gate.node.call("GET", "/barred/x/1").status == 200
        assert gate.node.call("GET", "/barred/nothing").status == 403
        wait_until(
            lambda: "an access log cannot be written" in gate.node.errors(), seconds=3, what="the complaint"
        )
    finally:
        os.chown(folder, pwd.getpwnam("nobody").pw_uid, -1)
        os.chmod(folder, 0o700)
    assert not (folder / "barred.log").exists()


def test_no_bytes_of_a_client_break_a_line_of_json_for_a_strict_reader(gate, publish):
    publish("strictlog", '{"agent": $context.identity.userAgent, "quoted": "$context.identity.userAgent"}')
    agents = [
        b"007", b"0", b"1" * 5000, b"-1", b"1e5", b"true", b"nul\\", b'"', b"\xed\xa0\x80", b"\xe0\x80\xaf",
        b"\xf0\x80\x80\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xf0\x9f\x90\xa7", b"\x85", b"\t$context.path",
    ]  # fmt: skip
    for agent in agents:
        gate.node.raw(
            b"GET /strictlog/x/1 HTTP/1.1\r\nHost: gate.test\r\nConnection: close\r\nUser-Agent: "
            + agent
            + b"\r\n\r\n"
        )
    lines(gate.world, "strictlog", len(agents))
    path = gate.node.settings.access_log_folder / "strictlog.log"
    read = [json.loads(line.decode("utf-8", "strict")) for line in path.read_bytes().splitlines()]
    assert len(read) == len(agents)
    assert [each["agent"] for each in read[:2]] == ["007", 0]
    assert read[13] == {"agent": "\U0001f427", "quoted": "\U0001f427"}
