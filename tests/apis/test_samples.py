"""Code samples do what they say: they are run, and a server tells what arrived."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import itemgetter
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from apis.reference import read_operation
from apis.samples import Call, Field, call_of, samples
from apis.samples.go import long_text
from apis.samples.text import literal

# every character that some shell or language takes for something else
AWKWARD = 'it\'s "quoted" $HOME ${HOME} `id` \\n \\ %s {x} & | ; * # ! ~ é 日本 🎉 \u2028 \ufeff </s> @file <f ;type=a'
LINES = AWKWARD + "\nsecond line\ttab\r\nthird"
VALUE = {
    AWKWARD: [LINES, None, True, 1.5, 2**40, {"empty": {}, "none": []}],
    "__proto__": {"a": 1},
    "long": 2**60 + 1,
}
BASE = "http://127.0.0.1:{port}/orders/a%20b%27c"
CALLS = {
    "get": Call("GET", BASE, query=(("q", AWKWARD), ("tag", "a"), ("tag", "b&c=d"))),
    "headers": Call("DELETE", BASE, headers=(("x-api-key", "k1"), ("X-Awkward", AWKWARD[:60] + " é 日本"))),
    "json": Call("PUT", BASE, media_type="application/json", has_json=True, json=VALUE),
    "plain json": Call(
        "POST", BASE, media_type="application/vnd.a+json", has_json=True, json={"a": [1, "x"]}
    ),
    "text": Call("POST", BASE, media_type="text/plain", text=LINES),
    "form": Call(
        "POST",
        BASE,
        media_type="application/x-www-form-urlencoded",
        form=(Field("a", LINES), Field("b c", "1"), Field("a", "2")),
    ),
    "multipart": Call(
        "PATCH",
        BASE,
        media_type="multipart/form-data",
        form=(Field("note", AWKWARD), Field("file", "example", "example.txt")),
    ),
}


class Echo(BaseHTTPRequestHandler):
    """Keeps what arrived."""

    seen: list[dict[str, Any]]

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.seen.append({"method": self.command, "target": self.path, "headers": headers, "body": body})
        self.send_response(201)
        self.end_headers()
        self.wfile.write(b"made it")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = answer

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def echo() -> Iterator[tuple[int, list[dict[str, Any]]]]:
    Echo.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port, Echo.seen
    server.shutdown()
    server.server_close()


def run_curl(texts: list[str], folder: Path) -> str:
    return "".join(
        ran(["sh", "-c", text.replace("curl", "curl -s -w '\\n%{http_code}'", 1)], folder) for text in texts
    )


def run_python(texts: list[str], folder: Path) -> str:
    """All in one process, which loads `requests` once."""
    return ran([sys.executable, "-c", "\n".join(texts)], folder)


def run_javascript(texts: list[str], folder: Path) -> str:
    said = ""
    for text in texts:
        (folder / "sample.js").write_text(text)
        said += ran([needed("node"), "sample.js"], folder)
    return said


def run_go(texts: list[str], folder: Path) -> str:
    said, go = "", needed("go")
    formatter = Path(os.path.realpath(go)).with_name("gofmt")
    for text in texts:
        (folder / "main.go").write_text(text)
        assert not formatter.exists() or ran([str(formatter), "-l", "main.go"], folder) == ""
        said += ran([go, "run", "main.go"], folder)
    return said


def needed(tool: str) -> str:
    found = shutil.which(tool)
    if not found:
        pytest.skip(f"{tool} is not installed")
    return found


def ran(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


RUNNERS: dict[str, Callable[[list[str], Path], str]] = {
    "curl": run_curl,
    "python": run_python,
    "javascript": run_javascript,
    "go": run_go,
}


@pytest.mark.parametrize("language", RUNNERS)
def test_what_a_sample_says_arrives_character_by_character(
    language: str, echo: tuple[int, list[dict[str, Any]]], tmp_path: Path
) -> None:
    port, seen = echo
    seen.clear()
    calls = [replace(call, base=call.base.format(port=port)) for call in CALLS.values()]
    texts = [each.text for call in calls for each in samples(call) if each.language == language]
    said = RUNNERS[language](texts, tmp_path)
    assert (said.count("made it"), said.count("201")) == (len(calls), len(calls))
    assert len(seen) == len(calls)
    for name, call, arrived in zip(CALLS, calls, seen, strict=True):
        check(name, call, arrived)


def check(name: str, call: Call, arrived: dict[str, Any]) -> None:
    parts = urlsplit(arrived["target"])
    assert arrived["method"] == call.method, name
    assert unquote(parts.path) == "/orders/a b'c", name
    assert tuple(parse_qsl(parts.query, keep_blank_values=True)) == call.query, name
    for header, value in call.headers:
        assert arrived["headers"][header.lower()].encode("latin-1").decode() == value, name
    kind = arrived["headers"].get("content-type", "")
    body: bytes = arrived["body"]
    if call.is_multipart:
        assert parts_of(kind, body) == [(each.name, each.filename, each.value) for each in call.form]
        return
    if call.media_type:
        assert kind.partition(";")[0] == call.media_type, name
    if call.has_json:
        assert json.loads(body) == call.json, name
    elif call.text is not None:
        assert body.decode() == call.text, name
    elif call.form:
        # Go's url.Values sorts by name
        sent = [(each.name, each.value) for each in call.form]
        assert sorted(parse_qsl(body.decode()), key=itemgetter(0)) == sorted(sent, key=itemgetter(0)), name
    else:
        assert body == b"", name


def parts_of(kind: str, body: bytes) -> list[tuple[Any, Any, str]]:
    whole = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    found = []
    for part in whole.get_payload():
        assert not isinstance(part, str)
        named = {"header": "content-disposition"}
        text = part.get_payload(decode=True)
        assert isinstance(text, bytes)
        found.append((part.get_param("name", **named), part.get_filename() or "", text.decode()))
    return found


def test_a_key_goes_where_the_api_wants_it() -> None:
    """Header, query, bearer; what an authorizer or the backend wants gets a placeholder of its own."""
    assert call_with({"type": "apiKey", "in": "header", "name": "x-api-key"}).headers == (("x-api-key", "K"),)
    source = {"place": "query", "name": "token"}
    assert call_with({"type": "apiKey", "in": "query", "name": "token"}, source).query == (("token", "K"),)
    bearer = call_with({"type": "http", "scheme": "bearer"}, {"place": "bearer", "name": ""})
    assert bearer.headers == (("Authorization", "Bearer K"),)
    theirs = call_with({"type": "apiKey", "in": "header", "name": "Authorization"})
    assert theirs.headers == (("Authorization", "YOUR_MINE"),)


def call_with(scheme: dict[str, str], source: dict[str, str] | None = None) -> Call:
    data = {
        "openapi": "3.0.3",
        "paths": {"/a": {"get": {"security": [{"mine": []}]}}},
        "components": {"securitySchemes": {"mine": scheme}},
    }
    return call_of(read_operation(data, "GET", "/a", source), "https://x", key="K")


def test_parameters_have_their_examples_and_paths_are_encoded() -> None:
    operation = {
        "parameters": [
            {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}, "example": "a/b c"},
            {"name": "proxy", "in": "path", "required": True, "example": "x/y"},
            {
                "name": "ids",
                "in": "query",
                "required": True,
                "example": [1, 2],
                "explode": False,
                "schema": {},
            },
            {"name": "left out", "in": "query", "schema": {"type": "string"}},
            {"name": "X-Trace", "in": "header", "example": "two\r\nlines", "schema": {}},
            {"name": "seen", "in": "cookie", "required": True, "schema": {"type": "integer", "minimum": 5}},
        ]
    }
    data = {"openapi": "3.1.0", "paths": {"/a/{id}/{proxy+}/{undeclared}": {"get": operation}}}
    call = call_of(read_operation(data, "GET", "/a/{id}/{proxy+}/{undeclared}"), "https://x")
    assert call.url == "https://x/a/a%2Fb%20c/x/y/example?ids=1,2"
    assert call.headers == (("X-Trace", "two lines"), ("Cookie", "seen=5"))


def test_go_has_raw_strings_only_where_go_reads_them_as_they_are() -> None:
    assert long_text("a\nb") == "`a\nb`"
    assert long_text("a\n`b") == literal("a\n`b")
    assert long_text("a\r\nb") == literal("a\r\nb")
    assert long_text("a\n\ufeffb") == '"a\\n\\ufeffb"'
