"""`keys/authorize`, and what is handed to a node. tests/scenarios/test_verify_contract.py asks both sides the same."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.utils.timezone import now

from access.verdicts import KeyVerdict
from portal.embedded.ports import free_port
from tests.rest.problems import fault, problem
from tests.rest.test_verify import Sold


@pytest.fixture
def sold(alice, charlie):
    return Sold(alice.organization, charlie.organization, quota_limit=1000)


@pytest.fixture
def no_node(settings):
    settings.NODE_URL = f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def node(settings):
    """A node that keeps what it was sent and answers 429."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append((self.command, self.path, dict(self.headers), body))
            self.send_response(429)
            self.send_header("X-Gatehouse-Code", "RATE_LIMITED")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        settings.NODE_URL = f"http://127.0.0.1:{server.server_address[1]}"
        yield seen
        server.shutdown()


def authorize(program, query, **headers):
    return program.client.get(f"/api/v1/keys/authorize{query}", headers=headers)


def test_a_check_is_answered_here_with_status_and_headers(alice, sold, no_node):
    answer = authorize(alice, "?api=weather&mode=check", x_api_key=sold.text)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["X-Gatehouse-Code"] == "VALID"
    assert answer["X-Consumer-ID"] == sold.application.pk
    assert answer["RateLimit"].startswith('"quota";r=1000;t=')
    assert answer["X-RateLimit-Limit"] == "1000"
    refused = authorize(alice, "?api=weather&mode=check")
    assert (refused.status_code, refused["X-Gatehouse-Code"]) == (401, "MISSING")


@pytest.mark.parametrize("path", ["/orders/7", ""])
def test_options_come_from_one_header_too(alice, sold, path):
    headers = {"x_gatehouse_api": "weather/v1/live?mode=check", "x_api_key": sold.text}
    assert authorize(alice, path, **headers).status_code == 200


def test_what_is_asked_wrongly_is_named(alice, sold):
    fault(authorize(alice, ""), "api", "required")
    fault(authorize(alice, "?api=weather&colour=red"), "colour", "unknown_parameter")
    answer = authorize(alice, "?api=weather&as=x")
    fault(answer, "as", "invalid_choice")
    assert answer["X-Gatehouse-Code"] == "CALLER_BAD_REQUEST"


def test_a_read_only_token_and_a_suspended_organization_consume_nothing(alice, program, sold):
    reader = program(alice.organization, read_only=True)
    problem(reader.post("keys/verify", {**sold.asked, "mode": "consume"}), 403)
    assert authorize(reader, "?api=weather")["X-Gatehouse-Code"] == "CALLER_FORBIDDEN"
    alice.organization.suspended_at = now()
    alice.organization.save()
    assert "suspended" in problem(alice.post("keys/verify", sold.asked), 401)["detail"]
    assert authorize(alice, "?api=weather")["X-Gatehouse-Code"] == "CALLER_UNAUTHENTICATED"


def test_without_a_node_nothing_is_consumed_and_the_way_out_is_told(alice, sold, no_node):
    found = problem(alice.post("keys/verify", {**sold.asked, "mode": "consume"}), 503)
    assert "mode `check`" in found["detail"]
    assert "GATEHOUSE_NODE_URL" in found["detail"]
    assert sold.text not in found["detail"]
    answer = authorize(alice, "?api=weather", x_api_key=sold.text)
    problem(answer, 503)
    assert answer["X-Gatehouse-Code"] == "UNAVAILABLE"


def test_a_node_gets_the_question_and_its_answer_is_passed_on(alice, sold, node):
    answer = authorize(
        alice,
        "?api=weather&as=forward",
        x_api_key=sold.text,
        x_forwarded_uri="/get",
        x_forwarded_for="1.2.3.4",
    )
    assert (answer.status_code, answer["X-Gatehouse-Code"]) == (429, "RATE_LIMITED")
    method, path, headers, _ = node[0]
    assert (method, path) == ("GET", "/api/v1/keys/authorize?api=weather&as=forward")
    assert headers["Authorization"] == f"Bearer {alice.token}"
    assert (headers["X-Api-Key"], headers["X-Forwarded-Uri"]) == (sold.text, "/get")
    assert headers["X-Forwarded-For"] == "1.2.3.4"
    assert "Cookie" not in headers


def test_the_codes_of_both_sides_are_the_same():
    import re
    from pathlib import Path

    lua = Path(__file__).parents[2] / "gateway" / "lua" / "judge.lua"
    found = re.findall(r'^    ([A-Z_]+) = \{ (\d+), "(.*)" \},$', lua.read_text(), re.MULTILINE)
    assert {(code, int(status), text) for code, status, text in found} == {
        (verdict.code, verdict.status, verdict.message) for verdict in KeyVerdict
    }
