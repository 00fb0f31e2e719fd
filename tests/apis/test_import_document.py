"""Fetching a document by its URL, from a real server on this machine."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from accounts.errors import Refused
from apis import import_document
from apis.import_document import fetch_document


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path
        if path.startswith("/hop/"):
            left = int(path.rsplit("/", 1)[-1])
            self.send_response(302)
            self.send_header("Location", f"/hop/{left - 1}" if left > 1 else "/spec")
        elif path == "/away":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
        elif path == "/missing":
            self.send_response(404)
        else:
            self.send_response(200)
        self.end_headers()
        if path == "/large":
            self.wfile.write(b"x" * 2_000_000)
        if path == "/slow":
            time.sleep(0.5)
        if path.startswith("/spec"):
            self.wfile.write(f"{self.headers['Host']} {path}".encode())

    def log_message(self, *_args):
        pass


@pytest.fixture(scope="module")
def server():
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join()
    running.server_close()


def refusal(url):
    with pytest.raises(Refused) as caught:
        fetch_document(url)
    assert (caught.value.field, caught.value.code) == ("url", "not_fetched")
    return caught.value.message


def test_a_document_is_fetched_with_its_query(server):
    assert fetch_document(f" {server}/spec?a=b ") == f"{server[7:]} /spec?a=b".encode()


def test_three_redirects_are_followed_and_no_more(server):
    assert fetch_document(f"{server}/hop/3").endswith(b"/spec")
    assert "redirects more than 3 times" in refusal(f"{server}/hop/4")


def test_a_redirect_leads_only_to_http(server):
    assert "http:// or https://" in refusal(f"{server}/away")


def test_errors_say_what_went_wrong(server, settings, monkeypatch):
    assert "status 404" in refusal(f"{server}/missing")
    assert "could not be reached" in refusal("http://127.0.0.1:1/")
    assert "not known" in refusal("http://nobody.invalid/")
    settings.DOCUMENT_MAX_BYTES = 1_000_000
    assert "larger than 1 MB" in refusal(f"{server}/large")
    monkeypatch.setattr(import_document, "SECONDS", 0.1)
    assert "did not arrive" in refusal(f"{server}/slow")


@pytest.mark.parametrize("url", ["file:///etc/passwd", "spec.json", "http://u:p@127.0.0.1/", "http://[x"])
def test_only_plain_http_urls_are_fetched(url):
    assert refusal(url)


def test_in_production_nothing_of_the_inside_is_fetched(server, settings):
    settings.FETCH_PRIVATE = False
    assert "address of the inside" in refusal(f"{server}/spec")
    settings.FETCH_PRIVATE = True
    assert fetch_document(f"{server}/spec")


@pytest.mark.parametrize("host", ["169.254.169.254", "0.0.0.0", "[::ffff:169.254.169.254]"])  # noqa: S104
def test_addresses_that_no_document_has_are_never_called(host):
    assert refusal(f"http://{host}/")
