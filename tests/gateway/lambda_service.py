"""A small local Lambda service for tests: AWS's Invoke API, which checks the Signature Version 4 of each call."""

import contextlib
import hashlib
import hmac
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from tests.gateway.node import wait_until

ROOT = Path(__file__).parents[2]
ACCESS_KEY, SECRET = "AKIDTEST", "a-secret-for-tests"
AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<scope>(?P<day>\d{8})/(?P<region>[a-z0-9-]+)/lambda/aws4_request), "
    r"SignedHeaders=(?P<names>[a-z0-9;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
Function = Callable[[dict[str, Any]], Any]


class Raised(Exception):
    """What a function raises: the message is told to Lambda's caller."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        named = re.fullmatch(r"/2015-03-31/functions/([^/]+)/invocations", self.path)
        problem = self._signature_problem(body)
        if problem:
            self.server.refused.append(problem)
            return self._send(403, {"message": problem})
        arn = unquote(named[1]) if named else ""
        function = self.server.functions.get(arn)
        if function is None:
            return self._send(404, {"Message": f"Function not found: {arn}"})
        event = json.loads(body)
        if self.server.gives_up:  # the connection that it answered on before, without a word
            self.server.gives_up -= 1
            self.close_connection = True
            return None
        self.server.seen.append((arn, event))
        try:
            result = function(event)
        except Raised as error:
            return self._send(200, {"errorMessage": str(error), "errorType": "Error"}, error="Unhandled")
        if isinstance(result, int):
            return self._send(result, {"message": "a status of the service"})
        return self._send(200, result)

    def _send(self, status: int, data: Any, error: str = "") -> None:
        text = data if isinstance(data, bytes) else json.dumps(data).encode()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            if error:
                self.send_header("X-Amz-Function-Error", error)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    def _signature_problem(self, body: bytes) -> str:
        """As AWS describes Signature Version 4; written apart from the library that signs."""
        given = AUTHORIZATION.fullmatch(self.headers.get("Authorization", ""))
        if not given or given["key"] != ACCESS_KEY:
            return "the Authorization header is not ours"
        names = given["names"].split(";")
        if not {"host", "x-amz-date"} <= set(names):
            return "a header that must be signed is not"
        lines = [f"{name}:{' '.join(self.headers[name].split())}" for name in names]
        canonical = "\n".join(
            [
                "POST",
                quote(self.path, safe="/-_.~"),
                "",
                *lines,
                "",
                given["names"],
                hashlib.sha256(body).hexdigest(),
            ]
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join(["AWS4-HMAC-SHA256", self.headers["X-Amz-Date"], given["scope"], digest])
        key = f"AWS4{SECRET}".encode()
        for part in given["scope"].split("/"):
            key = hmac.new(key, part.encode(), "sha256").digest()
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        return "" if hmac.compare_digest(signature, given["signature"]) else "the signature does not match"

    def log_message(self, *_: Any) -> None:
        pass


class LambdaService(ThreadingHTTPServer):
    """`functions` by ARN; `seen` = (ARN, event) of calls; `refused` = what was wrong with signatures.

    `gives_up` is how many next calls are cut without an answer.
    A function returns its result (bytes are sent as they are, an int is a status of the service) or raises Raised.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.functions: dict[str, Function] = {}
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[str] = []
        self.gives_up = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def add(self, name: str, function: Function) -> str:
        """Put a function; returns its ARN."""
        arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
        self.functions[arn] = function
        return arn

    def asked(self, arn: str) -> list[dict[str, Any]]:
        return [event for name, event in self.seen if name == arn]

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


@contextlib.contextmanager
def running_runtime(folder: Path, endpoint: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `python -m gateway.runtime` for a node's folder; its log is `runtime.log` there."""
    credentials = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    own = {"GATEHOUSE_NODE_DIR": str(folder), "GATEHOUSE_LAMBDA_ENDPOINT": endpoint}
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with (folder / "runtime.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.runtime"],
            cwd=ROOT,
            env=env | credentials | own | environment,
            stdin=subprocess.DEVNULL,
            stderr=log,
        )
    socket = folder / "runtime.sock"
    try:
        owner = folder.stat().st_uid
        wait_until(
            lambda: socket.exists() and socket.stat().st_uid == owner, seconds=10, what="the runtime's socket"
        )
        yield process
    finally:
        process.terminate()
        assert process.wait(10) in (0, -9)
        socket.unlink(missing_ok=True)


def answer(*statements: dict[str, Any], principal: str = "ann", **more: Any) -> dict[str, Any]:
    """What an authorizer returns."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return {"principalId": principal, "policyDocument": document, **more}


def statement(effect: str, *resources: str) -> dict[str, Any]:
    return {"Effect": effect, "Action": "execute-api:Invoke", "Resource": list(resources)}
