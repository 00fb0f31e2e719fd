"""Registering an API on one page: what each step shows, keeps, and makes."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from access.models import UsagePlan
from apis.models import Api, ApiVersion, Backend, Stage
from tests.factories import audit_actions, make_api, make_organization, make_plan, make_user
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db

YAML = """\
openapi: 3.0.3
info:
  title: Orders
  version: "1"
servers:
  - url: http://127.0.0.1:9/base
paths:
  /orders/{id}:
    get:
      summary: One order
      responses: {}
  /old:
    trace:
      responses: {}
"""


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(503 if self.path == "/broken" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def backend() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def alice() -> Client:
    """Alice's browser; her organization has no API yet."""
    user = make_user("alice")
    make_organization(user, name="Shop")
    return signed_in(user)


def press(browser: Client, do: str, **typed: object):
    return browser.post(reverse("api-register"), {"do": do, **typed})


def filled(**more: object) -> dict[str, object]:
    typed = {"text": YAML, "name": "Orders", "version": "v1", "visibility": "public", "key_required": "on"}
    return typed | {"backend": "", "backend_url": "http://127.0.0.1:9", "plan": ""} | more


def test_a_document_is_shown_with_findings_lines_and_ways_out_beside_it(alice):
    page = press(alice, "read", source="text", text=YAML)
    reading = page.context["reading"]
    assert [(each.path, each.method) for each in reading.operations] == [
        ("/orders/{id}", "GET"),
        ("/old", "TRACE"),
    ]
    trace = next(each for each in reading.remarks if "TRACE" in each.message)
    assert (trace.line, trace.level, trace.way_out) == (13, "warning", "Take the operation out.")
    undeclared = next(each for each in reading.remarks if "Not declared" in each.message)
    assert undeclared.line == 9
    assert "in: path" in undeclared.way_out
    shown = page.context["form"]
    assert shown["name"].value() == "Orders"
    assert shown["version"].value() == "v1"
    assert shown["backend_url"].value() == "http://127.0.0.1:9/base"
    assert shown["key_required"].value()
    assert not Api.objects.exists()


def test_a_text_that_cannot_be_read_stays_with_the_line_of_its_fault(alice):
    broken = "openapi: 3.0.3\ninfo: {title: A\npaths: {}\n"
    page = press(alice, "read", source="text", text=broken)
    assert page.context["reading"].line == 3
    assert "title: A" in page.content.decode()
    assert 'data-line="3"' in page.content.decode()


def test_a_document_that_breaks_takes_nothing_else_with_it(alice):
    typed = filled(text="openapi: [", name="Kept name", plan="new", plan_name="Kept plan", path="/kept")
    page = press(alice, "check", **typed)
    shown = page.content.decode()
    assert page.context["reading"].problem
    for each in ("Kept name", "Kept plan", "/kept", "http://127.0.0.1:9"):
        assert f'value="{each}"' in shown
    assert 'name="key_required" id="id_key_required" checked' in shown.replace('class="" ', "")
    press(alice, "publish", **typed)
    assert not Api.objects.exists()


def test_a_file_is_read_and_its_text_can_be_edited(alice):
    upload = SimpleUploadedFile("orders.yaml", YAML.encode())
    page = press(alice, "read", source="upload", upload=upload)
    assert page.context["form"]["text"].value() == YAML
    binary = SimpleUploadedFile("orders.zip", b"PK\xff\xfe\x80")
    page = press(alice, "read", source="upload", upload=binary, **filled())
    assert "UTF-8" in page.content.decode()
    assert "One order" in page.content.decode()


def test_an_empty_start_gets_its_operations_one_by_one(alice):
    text = press(alice, "read", source="empty", name="Kiosk").context["form"]["text"].value()
    typed = {"text": text, "name": "Kiosk", "method": "POST", "path": "orders"}
    page = press(alice, "add", **typed)
    assert "slash" in page.context["form"].errors["path"][0]
    assert page.context["form"]["path"].value() == "orders"
    page = press(alice, "add", **typed | {"path": "/orders/{id}", "operation_summary": "Change"})
    (made,) = page.context["reading"].operations
    assert (made.method, made.path, made.summary) == ("POST", "/orders/{id}", "Change")
    assert page.context["form"]["path"].value() == ""
    page = press(
        alice, "add", **typed | {"text": page.context["form"]["text"].value(), "path": "/orders/{key}"}
    )
    assert "there already" in page.context["form"].errors["path"][0]
    page = press(alice, "remove:POST /orders/{id}", text=page.context["form"]["text"].value())
    assert not page.context["reading"].operations


def test_the_backend_is_really_asked(alice, backend):
    tried = press(alice, "probe", **filled(backend_url=backend)).context["tried"]
    assert [(each.name, each.good) for each in tried.steps] == [
        ("Name", True),
        ("Connection", True),
        ("Answer", True),
    ]
    assert "404" in tried.steps[-1].text
    assert tried.steps[-1].ms > 0
    tried = press(alice, "probe", **filled(backend_url=f"{backend}/broken")).context["tried"]
    assert tried.failed
    assert "503" in tried.steps[-1].text


def test_a_backend_that_cannot_be_reached_says_at_which_step(alice, settings):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        tried = press(
            alice, "probe", **filled(backend_url=f"http://127.0.0.1:{taken.getsockname()[1]}")
        ).context["tried"]
    assert tried.steps[-1].name == "Connection"
    assert "refuses" in tried.steps[-1].text
    settings.FETCH_PRIVATE = False
    for inside in ("http://127.0.0.1:9", "http://[64:ff9b::a9fe:a9fe]", "http://10.0.0.1"):
        tried = press(alice, "probe", **filled(backend_url=inside)).context["tried"]
        (step,) = tried.steps
        assert step.good is None
        assert "address of the inside" in step.text
        assert not tried.failed
    page = press(alice, "probe", **filled(backend_url="ftp://example.com"))
    assert page.context["form"].errors["backend_url"]


def test_publishing_makes_all_of_it_and_says_where_it_is_live(alice):
    plan = {"plan": "new", "plan_name": "Free", "plan_rate": "5", "plan_burst": "10", "plan_period": "DAY"}
    answer = press(alice, "publish", **filled(plan_quota="1000", **plan))
    version = ApiVersion.objects.get()
    assert answer["Location"] == reverse("version-live", args=[version.pk])
    stage = Stage.objects.get()
    assert stage.deployment is not None
    assert version.state == "published"
    made = UsagePlan.objects.get()
    assert list(made.stages.all()) == [stage]
    assert (made.quota_limit, made.quota_period) == (1000, "DAY")
    assert Backend.objects.get().url == "http://127.0.0.1:9"
    shown = alice.get(answer["Location"]).content.decode()
    assert "No gateway node is up" in shown
    assert "/orders/v1" in shown
    assert audit_actions()[:3] == ["api.created", "backend.created", "version.created"]


def test_a_refusal_makes_nothing_and_keeps_what_was_typed(alice):
    typed = filled(name="Kept name", version="not a name", plan="new", plan_name="Free", plan_rate="5")
    page = press(alice, "publish", **typed)
    assert page.context["form"].errors["version"]
    page = press(alice, "publish", **typed | {"version": "v1"})
    assert "burst" in page.context["form"].errors["plan_burst"][0]
    shown = page.content.decode()
    assert "Kept name" in shown
    assert "One order" in shown
    assert 'value="5' in shown
    assert not Api.objects.exists()
    assert not Backend.objects.exists()
    assert not UsagePlan.objects.exists()


def test_a_further_version_goes_onto_a_plan_that_is_there(alice):
    press(alice, "publish", **filled())
    api = Api.objects.get()
    plan = make_plan(Stage.objects.get())
    page = alice.get(reverse("api-register"), {"api": api.pk})
    assert page.context["form"]["version"].value() == "v2"
    address = f"{reverse('api-register')}?api={api.pk}"
    alice.post(address, {"do": "publish", **filled(version="v2", plan=plan.pk)})
    assert plan.stages.count() == 2
    assert Backend.objects.count() == 1
    assert alice.get(f"{reverse('api-register')}?api={make_api().pk}").status_code == 404
