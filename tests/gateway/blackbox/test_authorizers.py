"""Lambda authorizers: real nginx, a real runtime, and a local Lambda service that checks signatures."""

import itertools
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from gateway.entries import (
    Authorizer,
    Canary,
    Certificate,
    GatewayResponse,
    KeySource,
    Throttle,
)
from gateway.trie import build
from portal.embedded.ports import free_port
from tests.gateway.backends import Backend
from tests.gateway.certificates import authority, leaf
from tests.gateway.https import Client
from tests.gateway.lambda_service import LambdaService, Raised, answer, running_runtime, statement
from tests.gateway.node import node_folder, start_nginx, wait_until
from tests.gateway.world import World, make_key, operation, proxy

EVERYTHING = statement("Allow", "*")
TOKEN_HEADER = ["method.request.header.Authorization"]
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def cloud(gate):
    """`service` is the Lambda service; `protect` publishes a stage behind a function and returns its name and ARN."""
    service = LambdaService()

    def protect(function, *, operations=None, kind="token", stage=None, **fields):
        number = next(_numbers)
        arn = service.add(f"auth-{number}", function)
        fields = {"identity": TOKEN_HEADER, **fields}
        operations = operations or {"get": ("GET", "/x", {}), "any": ("ANY", "/p/{proxy+}", {})}
        gate.world.publish(
            f"auth{number}",
            {
                name: operation(method, path, authorizer="mine", **more)
                for name, (method, path, more) in operations.items()
            },
            authorizers={"mine": Authorizer(kind, arn, **fields)},
            **(stage or {}),
        )
        return SimpleNamespace(name=f"auth{number}", arn=arn, asked=lambda: service.asked(arn))

    with running_runtime(gate.node.settings.folder, service.url) as process:
        yield SimpleNamespace(service=service, protect=protect, process=process)
    service.stop()
    assert service.refused == []


def call(gate, path, token=None, method="GET", **more):
    headers = more.pop("headers", {}) | ({} if token is None else {"Authorization": token})
    return gate.node.call(method, path, headers=headers, **more)


def by_token(event):
    """An authorizer as AWS's guide has it: the token says what to answer."""
    token = event["authorizationToken"]
    if token == "unauthorized":
        raise Raised("Unauthorized")
    if token == "broken":
        raise Raised("KeyError: 'x'")
    return answer(statement("Allow" if token.startswith("allow") else "Deny", event["methodArn"]))


def refusal(got):
    return got.status, got.json, got.headers["x-amzn-errortype"]


def test_all_verdicts_of_a_token_authorizer(gate, cloud):
    stage = cloud.protect(by_token)
    path = f"/{stage.name}/x"
    before = len(gate.node.usage())
    passed = call(gate, path, "allow")
    assert (passed.status, passed.json["path"]) == (200, "/x")
    message = {"message": "Unauthorized"}, "UnauthorizedException"
    assert refusal(call(gate, path, "unauthorized")) == (401, *message)
    assert refusal(call(gate, path)) == (401, *message)
    assert refusal(call(gate, path, "")) == (401, *message)
    assert refusal(call(gate, path, "broken")) == (500, {"message": None}, "AuthorizerFailureException")
    denied = "User is not authorized to access this resource with an explicit deny"
    assert refusal(call(gate, path, "deny")) == (403, {"Message": denied}, "AccessDeniedException")
    assert [each["authorizationToken"] for each in stage.asked()] == [
        "allow",
        "unauthorized",
        "broken",
        "deny",
    ]
    first = stage.asked()[0]
    arn = "arn:aws:execute-api:eu-west-1:123456789012:version1id/live/GET/x"
    assert first == {"type": "TOKEN", "methodArn": arn, "authorizationToken": "allow"}
    wait_until(lambda: len(gate.node.usage()) >= before + 6, seconds=3, what="usage lines")
    verdicts = sorted(line["verdict"] for line in gate.node.usage()[before:])
    assert verdicts == sorted(
        ["-", "UNAUTHORIZED", "UNAUTHORIZED", "UNAUTHORIZED", "AUTHORIZER_FAILURE", "ACCESS_DENIED"]
    )


@pytest.mark.parametrize(
    "result",
    [
        b"not json",
        [],
        {"principalId": "ann"},
        {"policyDocument": {"Statement": [EVERYTHING]}},
        answer(EVERYTHING, context={"list": [1]}),
        answer(EVERYTHING, context={"claims": "x"}),
        answer(EVERYTHING, context={"a-b": "x"}),
        answer(EVERYTHING, usageIdentifierKey=1),
        answer({"Effect": "Maybe", "Action": "*", "Resource": "*"}),
        answer(EVERYTHING | {"Condition": {"Bool": {"x": "y"}}}),
        answer(EVERYTHING, context={"long": "x" * 9000}),
        403,
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_used_is_a_configuration_error(gate, cloud, result):
    stage = cloud.protect(lambda event: result)
    got = call(gate, f"/{stage.name}/x", "t")
    assert refusal(got) == (500, {"message": None}, "AuthorizerConfigurationException")


def test_a_function_that_is_not_there_and_an_authorizer_that_is_not_there(gate, cloud):
    stage = cloud.protect(by_token)
    del cloud.service.functions[stage.arn]
    assert (
        call(gate, f"/{stage.name}/x", "t").headers["x-amzn-errortype"] == "AuthorizerConfigurationException"
    )
    gate.world.publish("lost", {"get": operation("GET", "/x", authorizer="gone")})
    assert call(gate, "/lost/x", "t").headers["x-amzn-errortype"] == "AuthorizerConfigurationException"
    stage = cloud.protect(lambda event: 429)
    assert call(gate, f"/{stage.name}/x", "t").headers["x-amzn-errortype"] == "AuthorizerFailureException"


def test_a_token_that_does_not_match_is_refused_without_asking(gate, cloud):
    stage = cloud.protect(lambda event: answer(EVERYTHING), validation=r"^Bearer [\w.-]+$")
    assert call(gate, f"/{stage.name}/x", "Basic x").status == 401
    assert call(gate, f"/{stage.name}/x", "Bearer x y").status == 401
    assert stage.asked() == []
    assert call(gate, f"/{stage.name}/x", "Bearer x.y").status == 200
    costly = cloud.protect(lambda event: answer(EVERYTHING), validation=r"^(a+)+$")
    begin = time.monotonic()
    assert call(gate, f"/{costly.name}/x", "a" * 3000 + "b").status in (401, 500)
    assert time.monotonic() - begin < 2
    broken = cloud.protect(lambda event: answer(EVERYTHING), validation="(")
    assert (
        call(gate, f"/{broken.name}/x", "a").headers["x-amzn-errortype"] == "AuthorizerConfigurationException"
    )


def test_a_policy_is_kept_for_its_identity_and_judged_for_each_call(gate, cloud):
    def function(event):
        return answer(statement("Allow", "arn:aws:execute-api:*:*:version1id/live/GET/p/a*"))

    stage = cloud.protect(function)
    assert call(gate, f"/{stage.name}/p/a", "one").status == 200
    assert call(gate, f"/{stage.name}/p/a/b", "one").status == 200
    silent = call(gate, f"/{stage.name}/p/b", "one")
    assert refusal(silent) == (
        403, {"Message": "User is not authorized to access this resource"}, "AccessDeniedException",
    )  # fmt: skip
    assert call(gate, f"/{stage.name}/p/a", "one", method="POST").status == 403
    assert len(stage.asked()) == 1
    assert call(gate, f"/{stage.name}/p/a", "two").status == 200
    assert len(stage.asked()) == 2
    other = cloud.protect(function)
    assert call(gate, f"/{other.name}/p/a", "one").status == 200
    assert len(other.asked()) == 1


def test_flushing_the_stages_cache_forgets_policies(gate, cloud):
    arn = cloud.service.add("flushed", lambda event: answer(EVERYTHING))
    for epoch, asked in ((0, 1), (0, 1), (1, 2)):
        gate.world.publish(
            "flushed",
            {"get": operation("GET", "/x", authorizer="mine")},
            authorizers={"mine": Authorizer("token", arn, TOKEN_HEADER)},
            cache_epoch=epoch,
        )
        assert call(gate, "/flushed/x", "t").status == 200
        assert len(cloud.service.asked(arn)) == asked


def test_a_policy_is_kept_for_its_seconds_only(gate, cloud):
    stage = cloud.protect(lambda event: answer(EVERYTHING), ttl=1)
    for _ in range(5):
        assert call(gate, f"/{stage.name}/x", "t").status == 200
    assert len(stage.asked()) == 1
    time.sleep(1.1)
    assert call(gate, f"/{stage.name}/x", "t").status == 200
    assert len(stage.asked()) == 2


def test_nothing_is_kept_with_a_ttl_of_zero_and_no_failure_is(gate, cloud):
    stage = cloud.protect(lambda event: answer(EVERYTHING), ttl=0)
    failing = cloud.protect(by_token)
    for _ in range(3):
        assert call(gate, f"/{stage.name}/x", "t").status == 200
        assert call(gate, f"/{failing.name}/x", "broken").status == 500
        assert call(gate, f"/{failing.name}/x", "unauthorized").status == 401
    assert len(stage.asked()) == 3
    assert len(failing.asked()) == 6


@pytest.mark.parametrize(
    ("statements", "path", "status"),
    [
        ([statement("Allow", "*")], "p/a", 200),
        (
            [statement("Allow", "arn:aws:execute-api:eu-west-1:123456789012:version1id/live/*/p/?")],
            "p/a",
            200,
        ),
        (
            [statement("Allow", "arn:aws:execute-api:eu-west-1:123456789012:version1id/live/*/p/?")],
            "p/ab",
            403,
        ),
        ([statement("Allow", "*/GET/p/*/z")], "p/a/b/z", 200),
        ([statement("Allow", "*/GET/p/*/z")], "p/a/b/y", 403),
        ([statement("Allow", "*/test/GET/*")], "p/a", 403),
        ([EVERYTHING, statement("Deny", "*/GET/p/secret")], "p/secret", 403),
        ([EVERYTHING, statement("Deny", "*/GET/p/secret")], "p/secrets", 200),
        ([EVERYTHING, statement("Deny", "*/GET/p/secret")], "p/%73ecret", 403),
        ([EVERYTHING, statement("Deny", "*/GET/p/secret")], "p/secret/", 403),
        ([EVERYTHING, statement("Deny", "*/GET/p/secret")], "p//secret", 403),
        ([EVERYTHING, statement("Deny", "*/GET/p/secret/*")], "p/secret%2Fa", 403),
        ([EVERYTHING, statement("Deny", "*/GET/p/secret/*")], "p/secret%2fa", 403),
        ([statement("Allow", "*/GET/p/open/*")], "p/open%2Fa", 403),
        ([statement("Allow", "*/GET/p/caf%C3%A9")], "p/caf%c3%a9", 200),
        ([statement("Allow", "*/GET/p/a b")], "p/a%20b", 200),
        ([EVERYTHING, statement("Deny", "*/GET/p/café")], "p/caf%C3%A9", 403),
        ([{"Effect": "Allow", "Action": "execute-api:*", "Resource": "*"}], "p/a", 200),
        ([{"Effect": "Allow", "Action": ["s3:*", "EXECUTE-API:invoke"], "Resource": "*"}], "p/a", 200),
        ([{"Effect": "Allow", "Action": "execute-api:InvalidateCache", "Resource": "*"}], "p/a", 403),
        ([{"Effect": "Allow", "NotAction": "execute-api:Invoke", "Resource": "*"}], "p/a", 403),
        ([{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}], "p/a", 200),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "*/GET/p/a"}], "p/a", 403),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "*/GET/p/a"}], "p/b", 200),
        ([EVERYTHING, {"Effect": "Deny", "Action": "*", "NotResource": "*/GET/p/a"}], "p/b", 403),
        ([EVERYTHING, {"Effect": "Deny", "Action": "*", "NotResource": "*/GET/p/a"}], "p/a", 200),
    ],
)
def test_how_a_policy_is_judged(gate, cloud, statements, path, status):
    stage = cloud.protect(lambda event: answer(*statements))
    assert call(gate, f"/{stage.name}/{path}", "t").status == status


def test_head_is_judged_as_the_get_that_answers_it(gate, cloud):
    stage = cloud.protect(lambda event: answer(EVERYTHING, statement("Deny", "*/GET/x")))
    assert call(gate, f"/{stage.name}/x", "t", method="HEAD").status == 403


def test_a_request_authorizer_is_told_all_of_the_call(gate, cloud):
    stage = cloud.protect(
        lambda event: answer(EVERYTHING),
        kind="request",
        identity=["method.request.header.X-Who", "method.request.querystring.q", "stageVariables.color"],
        operations={"get": ("GET", "/pets/{id}", {})},
        stage={"variables": {"color": "blue"}},
    )
    url = f"/{stage.name}/pets/a%20b?q=1&q=2&empty"
    assert call(gate, url, headers={"X-Who": "me", "x-api-key": "some-key"}).status == 200
    (event,) = stage.asked()
    context = event.pop("requestContext")
    assert event.pop("headers")["X-Who"] == "me"
    assert event.pop("multiValueHeaders")["X-Who"] == ["me"]
    assert event == {
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:version1id/live/GET/pets/a b",
        "resource": "/pets/{id}",
        "path": "/pets/a%20b",
        "httpMethod": "GET",
        "queryStringParameters": {"q": "2", "empty": ""},
        "multiValueQueryStringParameters": {"q": ["1", "2"], "empty": [""]},
        "pathParameters": {"id": "a b"},
        "stageVariables": {"color": "blue"},
    }
    assert context["identity"] == {
        "sourceIp": "127.0.0.1", "userAgent": None, "apiKey": "some-key", "clientCert": None,
    }  # fmt: skip
    assert (context["stage"], context["apiId"], context["resourcePath"]) == (
        "live",
        "version1id",
        "/pets/{id}",
    )


def test_the_identity_of_a_request_authorizer(gate, cloud):
    sources = ["method.request.header.X-Who", "method.request.querystring.q"]
    stage = cloud.protect(lambda event: answer(EVERYTHING), kind="request", identity=sources)
    for headers, query in (
        ({}, "?q=1"),
        ({"X-Who": "me"}, ""),
        ({"X-Who": "me"}, "?q="),
        ({"X-Who": ""}, "?q=1"),
    ):
        assert call(gate, f"/{stage.name}/x{query}", headers=headers).status == 401
    assert stage.asked() == []
    for who, query in (("a", "q=bc"), ("ab", "q=c"), ("a", "q=b&q=c"), ("a", "q=b&q=d")):
        assert call(gate, f"/{stage.name}/x?{query}", headers={"X-Who": who}).status == 200
    assert len(stage.asked()) == 4
    assert call(gate, f"/{stage.name}/x?q=bc&other=1", headers={"X-Who": "a"}).status == 200
    assert len(stage.asked()) == 4
    always = cloud.protect(lambda event: answer(EVERYTHING), kind="request", identity=sources, ttl=0)
    assert call(gate, f"/{always.name}/x").status == 200


def test_context_reaches_backend_refusals_and_access_log(gate, cloud):
    def function(event):
        effect = "Deny" if event["authorizationToken"] == "deny" else "Allow"
        told = {"team": "red\r\nX-Evil: 1", "level": 3, "admin": True, "none": None}
        return answer(statement(effect, "*"), principal="ann", context=told)

    mapped = {
        "integration.request.header.X-Principal": "context.authorizer.principalId",
        "integration.request.header.X-Team": "context.authorizer.team",
        "integration.request.querystring.level": "context.authorizer.level",
    }
    stage = cloud.protect(
        function,
        operations={"get": ("GET", "/x", {"integration": proxy(request_parameters=mapped)})},
        stage={
            "responses": {
                "ACCESS_DENIED": GatewayResponse(
                    status=418, templates={"application/json": '{"who":"$context.authorizer.principalId"}'}
                )
            },
            "access_log": "$context.authorizer.principalId $context.authorizer.admin $context.authorizer.none",
        },
    )
    seen = call(gate, f"/{stage.name}/x", "allow").json
    assert (seen["headers"]["x-principal"], seen["headers"]["x-team"]) == ("ann", "red  X-Evil: 1")
    assert seen["path"] == "/x?level=3"
    denied = call(gate, f"/{stage.name}/x", "deny")
    assert (denied.status, denied.json) == (418, {"who": "ann"})
    log = gate.node.settings.access_log_folder / f"{stage.name}.log"
    wait_until(lambda: log.exists() and len(log.read_text().splitlines()) == 2, seconds=3, what="access log")
    assert log.read_text().splitlines() == ["ann true -"] * 2


def test_a_null_message_is_json_in_a_gateway_response(gate, cloud):
    template = {"application/json": '{"text":$context.error.messageString,"x":"$context.error.message"}'}
    stage = cloud.protect(
        by_token, stage={"responses": {"AUTHORIZER_FAILURE": GatewayResponse(templates=template)}}
    )
    assert call(gate, f"/{stage.name}/x", "broken").json == {"text": None, "x": ""}


def test_the_authorizer_names_the_key_and_plan_limits_hold(gate, cloud):
    keys = {}

    def function(event):
        return answer(EVERYTHING, usageIdentifierKey=keys.get(event["authorizationToken"], "unknown"))

    stage = cloud.protect(
        function,
        operations={"closed": ("GET", "/x", {"key_required": True}), "free": ("GET", "/free", {})},
        stage={"key_source": KeySource(place="authorizer", name="")},
    )
    keys["ann"] = gate.world.subscribe("byauth", [stage.name], throttle=Throttle(0.001, 3))
    keys["bob"] = gate.world.subscribe("byauth2", [stage.name])
    keys["mistyped"] = keys["ann"][:-1] + ("a" if keys["ann"][-1] != "a" else "b")
    keys["stranger"] = make_key()
    path = f"/{stage.name}/x"
    first = call(gate, path, "ann", key=keys["bob"])
    assert first.status == 200
    assert first.json["headers"]["x-gatehouse-key"] == "key-byauth"
    assert "x-api-key" not in first.json["headers"]
    assert [call(gate, path, "ann").status for _ in range(3)] == [200, 200, 429]
    assert call(gate, path, "bob").json["headers"]["x-gatehouse-key"] == "key-byauth2"
    for token in ("nobody", "mistyped", "stranger"):
        assert call(gate, path, token, key=keys["bob"]).status == 403
    assert call(gate, f"/{stage.name}/free", "nobody").status == 200
    gate.world.put_key(keys["bob"], id="key-byauth2", active=False, subscriptions=["byauth2"])
    assert call(gate, path, "bob").status == 403


def test_with_another_key_source_the_authorizers_key_is_ignored(gate, cloud):
    keys = {}
    stage = cloud.protect(
        lambda event: answer(EVERYTHING, usageIdentifierKey=keys["ann"]),
        operations={"closed": ("GET", "/x", {"key_required": True})},
    )
    keys["ann"] = gate.world.subscribe("byheader", [stage.name])
    assert call(gate, f"/{stage.name}/x", "t").status == 403
    assert call(gate, f"/{stage.name}/x", "t", key=keys["ann"]).status == 200


def test_50_parallel_clients_share_few_questions_and_a_quota_is_exact(gate, cloud):
    keys = {}

    def function(event):
        time.sleep(0.3)
        return answer(EVERYTHING, usageIdentifierKey=keys["ann"])

    stage = cloud.protect(
        function,
        operations={"closed": ("GET", "/x/{id}", {"key_required": True})},
        stage={"key_source": KeySource(place="authorizer", name="")},
    )
    keys["ann"] = gate.world.subscribe("parallel", [stage.name], throttle=Throttle(0.0001, 120))
    barrier = threading.Barrier(50)

    def client(number):
        barrier.wait(10)
        found = []
        for turn in range(4):
            got = call(gate, f"/{stage.name}/x/{number}-{turn}", "t")
            assert got.status in (200, 429), got.body
            if got.status == 200:
                assert got.json["path"] == f"/x/{number}-{turn}"
            found.append(got.status)
        return found

    with ThreadPoolExecutor(50) as pool:
        statuses = [status for found in pool.map(client, range(50)) for status in found]
    assert statuses.count(200) == 120
    assert 1 <= len(stage.asked()) <= len(gate.node.workers())


def test_captures_survive_the_wait_for_the_authorizer(gate, cloud):
    def function(event):
        time.sleep(0.05)
        return answer(EVERYTHING)

    target = proxy(
        "", target={"scheme": "http", "host": "127.0.0.1", "port": gate.backend.port}, path=["/seen/", 0]
    )
    stage = cloud.protect(function, ttl=0, operations={"get": ("GET", "/{id}", {"integration": target})})

    def client(number):
        return call(gate, f"/{stage.name}/n{number}", "t").json["path"]

    with ThreadPoolExecutor(60) as pool:
        assert list(pool.map(client, range(300))) == [f"/seen/n{number}" for number in range(300)]


def test_a_canary_has_its_own_authorizers(gate, cloud):
    strict = cloud.service.add("strict", lambda event: answer(statement("Deny", "*")))
    operations = {"get": operation("GET", "/x", authorizer="mine")}
    tree = build((name, each.method, each.path) for name, each in operations.items())
    stage = cloud.protect(
        lambda event: answer(EVERYTHING),
        stage={
            "canary": Canary(
                100, "d2", operations, tree, authorizers={"mine": Authorizer("token", strict, TOKEN_HEADER)}
            )
        },
    )
    assert call(gate, f"/{stage.name}/x", "t").status == 403
    assert stage.asked() == []


def test_a_body_survives_the_wait_for_the_authorizer(gate, cloud):
    stage = cloud.protect(lambda event: answer(EVERYTHING), ttl=0)
    for size in (10, 300_000):
        got = call(gate, f"/{stage.name}/p/a", "t", method="POST", body=b"x" * size)
        assert (got.status, got.json["body_length"]) == (200, size)


def test_networks_come_before_the_authorizer_and_preflights_need_none(gate, cloud):
    from gateway.entries import Cors, IpRules, Policy

    cors = Policy(cors=Cors(["https://a.example"], ["GET"]))
    stage = cloud.protect(
        by_token,
        operations={
            "closed": ("GET", "/closed", {"policy": Policy(ip=IpRules(deny=["127.0.0.0/8"]))}),
            "shared": ("GET", "/shared", {"policy": cors}),
        },
    )
    assert call(gate, f"/{stage.name}/closed", "allow").status == 403
    asks = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    assert call(gate, f"/{stage.name}/shared", method="OPTIONS", headers=asks).status == 204
    assert stage.asked() == []


def test_no_log_tells_a_token_or_a_key(gate, cloud):
    key, token = make_key(), "a-very-secret-token"

    def function(event):
        raise Raised(f"{token} {key}")

    stage = cloud.protect(function)
    other = cloud.protect(lambda event: answer(EVERYTHING, usageIdentifierKey=key, context={key: [token]}))
    assert call(gate, f"/{stage.name}/x", token).status == 500
    assert call(gate, f"/{other.name}/x", token).status == 500
    log = (gate.node.settings.folder / "runtime.log").read_text()
    assert stage.arn in log
    for text in (log, gate.node.errors(), str(gate.node.usage())):
        assert token not in text
        assert key not in text


def test_a_runtime_that_is_killed_and_back(gate, cloud):
    kept = cloud.protect(lambda event: answer(EVERYTHING))
    asked = cloud.protect(lambda event: answer(EVERYTHING), ttl=0)
    assert call(gate, f"/{kept.name}/x", "t").status == 200
    cloud.process.send_signal(signal.SIGKILL)
    cloud.process.wait(10)
    assert refusal(call(gate, f"/{asked.name}/x", "t")) == (
        500, {"message": None}, "AuthorizerFailureException",
    )  # fmt: skip
    assert call(gate, f"/{kept.name}/x", "t").status == 200
    assert call(gate, "/open/x").status == 200
    (gate.node.settings.folder / "runtime.sock").unlink()
    with running_runtime(gate.node.settings.folder, cloud.service.url):
        assert call(gate, f"/{asked.name}/x", "t").status == 200


def test_without_credentials_or_service_it_is_a_configuration_error(gate, cloud):
    stage = cloud.protect(lambda event: answer(EVERYTHING), ttl=0)
    folder = gate.node.settings.folder
    (folder / "runtime.sock").unlink(missing_ok=True)
    with running_runtime(folder, cloud.service.url, AWS_ACCESS_KEY_ID=""):
        assert (
            call(gate, f"/{stage.name}/x", "t").headers["x-amzn-errortype"]
            == "AuthorizerConfigurationException"
        )
    with running_runtime(folder, "http://127.0.0.1:1"):
        assert (
            call(gate, f"/{stage.name}/x", "t").headers["x-amzn-errortype"]
            == "AuthorizerConfigurationException"
        )


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_streams_of_one_http_2_connection_wait_for_the_authorizer(cloud, tmp_path):
    """On a node of its own, with TLS."""
    with ExitStack() as stack:
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port(), tls_port=free_port())
        stack.callback(node.stop)
        backend = Backend("two")
        stack.callback(backend.stop)
        stack.enter_context(running_runtime(folder, cloud.service.url))
        root = authority()
        made = leaf("two.test", issuer=root)
        world = World(node)
        world.put("certificate", "two.test", Certificate(made.pem, made.private_key))
        world.backend("backend", "127.0.0.1", backend.port)
        arn = cloud.service.add("http2", lambda event: time.sleep(0.1) or answer(EVERYTHING))
        world.publish(
            "open",
            {"op": operation("ANY", "/{proxy+}", authorizer="mine")},
            authorizers={"mine": Authorizer("token", arn, TOKEN_HEADER)},
        )
        addresses = [
            part for number in range(20) for part in ("-o", "/dev/null", f"https://two.test/open/{number}")
        ]
        trust, _ = root.files(tmp_path, "root")
        client = Client(node.settings.tls_port, trust)
        told = ["--http2", "--parallel", "-w", "%{http_version} %{http_code}\n"]
        done = client.curl(*told, "-H", "Authorization: t", *addresses)
        assert done.stdout.split("\n")[:-1] == ["2 200"] * 20, done.stderr
        assert 1 <= len(cloud.service.asked(arn)) <= 2
        (tmp_path / "body").write_bytes(b"x" * 300_000)
        sent = ["--http2", "-o", "/dev/null", "-w", "%{http_code}", "-T", str(tmp_path / "body")]
        assert client.curl(*sent, "-H", "Authorization: u", "https://two.test/open/x").stdout == "200"
        assert backend.seen[-1]["body_length"] == 300_000
        assert "lua entry thread aborted" not in node.errors()
