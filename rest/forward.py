"""Hands a question about a key to a gateway node, which holds the counters: calls are consumed in one place."""

from dataclasses import dataclass
from typing import Any

import requests
from django.conf import settings
from rest_framework.exceptions import APIException
from rest_framework.request import Request

CONNECT_SECONDS, READ_SECONDS = 1.0, 10.0
# what goes along: who asks, and what is told of the judged call
SENT = ("Authorization", "X-Gatehouse-Token", "X-Gatehouse-Api", "X-Api-Key")
TOLD = ("X-Original-Method", "X-Original-URI", "X-Forwarded-Method", "X-Forwarded-Uri", "Referer", "Origin")
# of the node's connection, not of its answer
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "date"}


class NoNode(APIException):
    """No node can be reached."""

    status_code = 503
    default_code = "unavailable"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"No gateway node answers at {settings.NODE_URL} ({why}), and only a node can consume a call. "
            "Ask a node itself, use mode `check`, or set GATEHOUSE_NODE_URL to the address of one."
        )


@dataclass(frozen=True, slots=True)
class NodeAnswer:
    """What a node said."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask_node(request: Request, path: str, *, body: Any = None, client: str = "") -> NodeAnswer:
    """Send the request to `path` of a node: `body` as JSON, `client` as X-Forwarded-For; raises NoNode."""
    sent = {name: request.headers[name] for name in (*SENT, *TOLD) if name in request.headers}
    try:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(
                request.method or "POST",
                settings.NODE_URL + path,
                json=body,
                headers=sent | ({"X-Forwarded-For": client} if client else {}),
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
    except requests.Timeout as error:
        raise NoNode("it takes too long") from error
    except requests.RequestException as error:
        raise NoNode("no connection") from error
    if answer.status_code in (502, 504) or (
        answer.status_code == 403 and "x-request-id" not in answer.headers
    ):
        raise NoNode("something else answers there")
    kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_BY_HOP}
    return NodeAnswer(answer.status_code, kept, answer.content)
