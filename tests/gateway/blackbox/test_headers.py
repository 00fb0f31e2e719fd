"""Headers that stay behind, headers that pass, and headers that the gate adds."""

import email.utils
import time

import pytest

from gateway.entries import Policy, Retries
from tests.gateway.world import operation

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(scope="module", autouse=True)
def stages(gate):
    """`/rich` goes through the locations for calls that need more, `/open` through the plain one."""
    policy = Policy(retries=Retries(attempts=1, on=["error"]))
    gate.world.publish("rich", {"op": operation("ANY", "/{proxy+}")}, policy=policy)


@pytest.fixture(params=["/open/x", "/rich/x"])
def path(request):
    return request.param


def seen(gate, path, **headers):
    return gate.node.call("GET", path, headers=headers).json["headers"]


@pytest.mark.parametrize(
    "name",
    [
        "Proxy-Authorization", "Proxy-Authenticate", "Proxy-Connection", "TE", "Trailer", "Keep-Alive", "Max-Forwards",
        "X-Real-IP", "Forwarded", "X_Forwarded_For", "X-Api-Key", "X_Api_Key",
    ],
)  # fmt: skip
def test_headers_of_a_client_that_stay_behind(gate, path, name):
    headers = seen(gate, path, **{name: "gotcha"})
    assert name.lower() not in headers
    assert "gotcha" not in headers.values()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Basic eA=="), ("Accept-Encoding", "br"), ("User-Agent", "me/1"), ("Via", "1.1 proxy"),
        ("Cookie", "a=b"), ("traceparent", TRACE), ("tracestate", "a=1,b=2"), ("X-Amzn-Trace-Id", "Root=1-5-6"),
        ("Content-MD5", "x"), ("Date", "Mon, 23 Nov 2026 12:00:00 GMT"), ("Origin", "https://a.example"),
        ("traceparent", "not a trace"), ("Range", "bytes=0-1"), ("If-None-Match", '"x"'),
    ],
)  # fmt: skip
def test_headers_of_a_client_that_pass_as_they_are(gate, path, name, value):
    assert seen(gate, path, **{name: value})[name.lower()] == value


def test_what_connection_names_is_for_this_hop_alone(gate, path):
    headers = seen(
        gate, path, **{"Connection": "close, X-Hop , x-other", "X-Hop": "1", "X-Other": "2", "X-Third": "3"}
    )
    assert not {"x-hop", "x-other"} & set(headers)
    assert headers["x-third"] == "3"


def test_connection_cannot_take_away_what_the_gate_says(gate):
    gate.world.publish("kept", {"op": operation("GET", "/x", key_required=True)})
    key = gate.world.subscribe("kept", ["kept"])
    names = (
        "X-Forwarded-For, X-Gatehouse-Subscription, X-Request-Id, Host, Authorization, x-api-key, X-Api-Key"
    )
    answer = gate.node.call(
        "GET", "/kept/x", key=key, headers={"Connection": names, "Authorization": "Basic eA=="}
    )
    assert answer.status == 200
    headers = answer.json["headers"]
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-gatehouse-subscription"] == "kept"
    assert headers["authorization"] == "Basic eA=="


@pytest.mark.parametrize(
    "name", ["Proxy-Authenticate", "Proxy-Connection", "Trailer", "Keep-Alive", "Upgrade", "x-amzn-RequestId"]
)
def test_headers_of_a_backend_that_stay_behind(gate, path, name):
    answer = gate.node.call("GET", f"{path}?header={name}:gotcha")
    assert answer.status == 200
    assert "gotcha" not in answer.headers.values()


@pytest.mark.parametrize(
    "name", ["WWW-Authenticate", "Warning", "Age", "Via", "Content-MD5", "Authorization", "ETag"]
)
def test_headers_of_a_backend_keep_their_names(gate, path, name):
    answer = gate.node.call("GET", f"{path}?header={name}:value")
    assert answer.headers[name.lower()] == "value"
    assert not [each for each in answer.headers if each.startswith("x-amzn-remapped")]
    assert answer.headers["server"].startswith("BaseHTTP")


def test_a_deprecated_version_says_since_when_and_until_when(gate):
    since, until = 1_700_000_000.5, time.time() + 86_400
    gate.world.publish(
        "old",
        {"op": operation("GET", "/x"), "keyed": operation("GET", "/keyed", key_required=True)},
        state="deprecated",
        deprecated_at=since,
        sunset_at=until,
    )
    for path, status in (("/old/x", 200), ("/old/keyed", 403), ("/old/nothing", 403)):
        answer = gate.node.call("GET", path)
        assert (answer.status, answer.headers["deprecation"]) == (status, "@1700000000")
        assert email.utils.parsedate_to_datetime(answer.headers["sunset"]).timestamp() == int(until)
    answer = gate.node.call("GET", "/old/x?header=Deprecation:true")
    assert answer.headers["deprecation"] == "@1700000000"


def test_a_deprecated_version_without_an_end_has_no_sunset(gate):
    gate.world.publish("aging", {"op": operation("GET", "/x")}, deprecated_at=1_700_000_000.0)
    answer = gate.node.call("GET", "/aging/x")
    assert (answer.headers["deprecation"], "sunset" in answer.headers) == ("@1700000000", False)


def test_other_versions_say_nothing(gate, path):
    assert not {"deprecation", "sunset"} & set(gate.node.call("GET", path).headers)


def test_a_backends_own_sunset_passes(gate, path):
    answer = gate.node.call("GET", f"{path}?header=Sunset:tomorrow")
    assert answer.headers["sunset"] == "tomorrow"
