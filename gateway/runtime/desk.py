"""Where the gate asks: `POST /authorize` with an authorizer's function and event, answered with a verdict.

The gate sends {"function": ARN, "event": {…}}. The answer is {"verdict": name of gateway/verdicts.json} for a
refusal, else {"principal", "statements", "context", "key"} as `answers.Answer` has them.
"""

import json
import logging
from dataclasses import asdict
from typing import Any

from aiohttp import web

from gateway.runtime.answers import BadAnswer, read_answer
from gateway.runtime.functions import Functions, NotInvokable, Result, Unanswered

log = logging.getLogger("runtime")
UNAUTHORIZED = "UNAUTHORIZED"
FAILURE = "AUTHORIZER_FAILURE"
CONFIGURATION_ERROR = "AUTHORIZER_CONFIGURATION_ERROR"
LARGEST_EVENT = 2 * 2**20  # bytes; headers and URL come twice, and escaped


def application(functions: Functions) -> web.Application:
    """Return the runtime's server."""

    async def authorize(request: web.Request) -> web.Response:
        try:
            asked = json.loads((await request.read()).decode(errors="replace"))
            function, event = str(asked["function"]), json.dumps(asked["event"]).encode()
        except (ValueError, TypeError, KeyError):
            return web.json_response({"reason": "send {function, event}"}, status=400)
        return web.json_response(await ask(functions, function, event))

    made = web.Application(client_max_size=LARGEST_EVENT)
    made.router.add_post("/authorize", authorize)
    return made


async def ask(functions: Functions, function: str, event: bytes) -> dict[str, Any]:
    """Ask one authorizer; returns what the gate is told. The log names the function, never the caller."""
    try:
        result = await functions.invoke(function, event)
        if result.function_error:
            return _thrown(function, result)
        return asdict(read_answer(result.body))
    except Unanswered as problem:
        log.warning("the authorizer %s failed: %s", function, problem)
        return {"verdict": FAILURE}
    except NotInvokable as problem:
        log.warning("the authorizer %s cannot be asked: %s", function, problem)
    except BadAnswer as problem:
        log.warning("the answer of the authorizer %s cannot be used: %s", function, problem)
    return {"verdict": CONFIGURATION_ERROR}


def _thrown(function: str, result: Result) -> dict[str, Any]:
    """Exactly "Unauthorized" means that the caller is not known; all else is a mistake of the function."""
    try:
        message = json.loads(result.body).get("errorMessage")
    except (ValueError, AttributeError):
        message = None
    if message == "Unauthorized":
        return {"verdict": UNAUTHORIZED}
    log.warning("the authorizer %s failed: it raised an error", function)
    return {"verdict": FAILURE}
