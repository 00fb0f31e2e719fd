"""Calls of Lambda's Invoke API, against a local service that checks signatures."""

import asyncio
import time

import pytest

from gateway.runtime import functions as module
from gateway.runtime.desk import ask
from gateway.runtime.functions import Functions, NotInvokable, Unanswered
from gateway.settings import NodeSettings, SettingError
from tests.gateway.lambda_service import ACCESS_KEY, SECRET, LambdaService, Raised

CREDENTIALS = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET}


@pytest.fixture
def service():
    made = LambdaService()
    yield made
    made.stop()


@pytest.fixture
async def functions(service):
    made = Functions(service.url, CREDENTIALS)
    yield made
    await made.close()


async def test_a_function_is_called_with_a_signature(service, functions):
    arn = service.add("echo", lambda event: event)
    result = await functions.invoke(arn, b'{"a": "\xc3\xa9"}')
    assert (result.body, result.function_error) == (b'{"a": "\\u00e9"}', "")
    service.functions[f"{arn}:live"] = lambda event: "alias"
    assert (await functions.invoke(f"{arn}:live", b"{}")).body == b'"alias"'
    assert service.refused == []


async def test_a_session_token_is_signed_too(service):
    arn = service.add("echo", lambda event: event)
    functions = Functions(service.url, CREDENTIALS | {"AWS_SESSION_TOKEN": "session"})
    assert (await functions.invoke(arn, b"{}")).body == b"{}"
    await functions.close()
    assert service.refused == []


async def test_a_wrong_secret_is_refused(service):
    arn = service.add("echo", lambda event: event)
    functions = Functions(service.url, CREDENTIALS | {"AWS_SECRET_ACCESS_KEY": "other"})
    with pytest.raises(NotInvokable, match="403"):
        await functions.invoke(arn, b"{}")
    await functions.close()
    assert service.refused == ["the signature does not match"]


async def test_a_function_that_takes_too_long(service, functions, monkeypatch):
    monkeypatch.setattr(module, "SECONDS", 0.2)
    arn = service.add("slow", lambda event: time.sleep(1))
    with pytest.raises(Unanswered, match="no answer"):
        await functions.invoke(arn, b"{}")


async def test_a_slow_function_keeps_no_other_waiting(service, functions, monkeypatch):
    monkeypatch.setattr(module, "OF_ONE", 2)
    slow = service.add("slow", lambda event: time.sleep(0.3))
    quick = service.add("quick", lambda event: event)
    waiting = [asyncio.create_task(functions.invoke(slow, b"{}")) for _ in range(6)]
    await asyncio.sleep(0.1)
    assert len(service.asked(slow)) == 2
    assert (await functions.invoke(quick, b"{}")).body == b"{}"
    assert len(service.asked(slow)) == 2
    await asyncio.gather(*waiting)
    assert len(service.asked(slow)) == 6


async def test_a_connection_that_was_given_up_is_made_anew_once(service, functions):
    arn = service.add("echo", lambda event: event)
    assert (await functions.invoke(arn, b"{}")).body == b"{}"
    service.gives_up = 1
    assert (await functions.invoke(arn, b"{}")).body == b"{}"
    service.gives_up = 2
    with pytest.raises(Unanswered, match="connection failed"):
        await functions.invoke(arn, b"{}")


async def test_a_service_that_is_not_there():
    functions = Functions("http://127.0.0.1:1", CREDENTIALS)
    with pytest.raises(NotInvokable, match="cannot be reached"):
        await functions.invoke("arn:aws:lambda:eu-west-1:123456789012:function:x", b"{}")
    await functions.close()


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "name",
        "arn:aws:lambda:evil.example/x?:123456789012:function:x",
        "arn:aws:lambda:eu-west-1:123456789012:function:x/../y",
        "arn:aws:lambda:eu-west-1:1:function:x",
    ],
)
async def test_what_is_no_function_is_never_asked(service, functions, arn):
    with pytest.raises(NotInvokable, match="ARN"):
        await functions.invoke(arn, b"{}")
    assert service.seen == []


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        ("Unauthorized", "UNAUTHORIZED"),
        ("unauthorized", "AUTHORIZER_FAILURE"),
        ("Unauthorized.", "AUTHORIZER_FAILURE"),
        ("", "AUTHORIZER_FAILURE"),
    ],
)
async def test_only_the_exact_word_is_a_401(service, functions, message, verdict):
    def function(event):
        raise Raised(message)

    assert await ask(functions, service.add("raises", function), b"{}") == {"verdict": verdict}


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(403, "AUTHORIZER_CONFIGURATION_ERROR"), (307, "AUTHORIZER_CONFIGURATION_ERROR")]
    + [(status, "AUTHORIZER_FAILURE") for status in (429, 500, 502, 503, 504)],
)
async def test_statuses_of_the_service(service, functions, status, verdict):
    assert await ask(functions, service.add("status", lambda event: status), b"{}") == {"verdict": verdict}


def test_an_endpoint_must_be_an_address():
    good = NodeSettings.from_environment(
        {"GATEHOUSE_NODE_DIR": "/x", "GATEHOUSE_LAMBDA_ENDPOINT": "http://a:1/"}
    )
    assert good.lambda_endpoint == "http://a:1"
    for text in ("a:1", "ftp://a", "http://", "http://user:secret@a"):
        with pytest.raises(SettingError, match="GATEHOUSE_LAMBDA_ENDPOINT") as caught:
            NodeSettings.from_environment({"GATEHOUSE_NODE_DIR": "/x", "GATEHOUSE_LAMBDA_ENDPOINT": text})
        assert "secret" not in str(caught.value)
