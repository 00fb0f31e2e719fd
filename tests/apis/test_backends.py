"""The provider's servers."""

import pytest

from accounts.errors import Refused
from accounts.models import AuditEvent
from apis.backends import change_backend, create_backend
from apis.models import Backend
from apis.signals import backends_changed, stages_changed
from tests.factories import make_organization, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    found = []
    backends_changed.connect(lambda backend_ids, **_: found.extend(backend_ids), weak=False, dispatch_uid="t")
    yield found
    backends_changed.disconnect(dispatch_uid="t")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("http://127.0.0.1:8081", "http://127.0.0.1:8081"),
        ("https://API.example.com/", "https://api.example.com"),
        ("https://api.example.com/base path/".replace(" ", "%20"), "https://api.example.com/base%20path"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("https://api.example.com/ü", "https://api.example.com/%C3%BC"),
    ],
)
def test_a_url_is_kept_in_one_form(url, kept, heard):
    backend = create_backend(organization=make_organization(), name="B", url=url, actor=None)
    assert Backend.objects.get().url == kept
    assert heard == [backend.pk]


@pytest.mark.parametrize(
    "url",
    ["", "x", "ftp://a", "http://", "http://u:p@a", "http://a?b=c", "http://a#b", "http://a/{b}", "http://a:0x",
     "http://a b", "http://169.254.169.254", "http://a/" + "x" * 500],
)  # fmt: skip
def test_a_url_that_cannot_be_a_backend_is_refused(url, heard):
    with pytest.raises(Refused) as caught:
        create_backend(organization=make_organization(), name="B", url=url, actor=None)
    assert caught.value.field == "url"
    assert heard == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 81),
        ("timeout_ms", 49),
        ("timeout_ms", 29_001),
        ("connect_timeout_ms", "5"),
    ],
)
def test_other_fields_are_checked_too(field, value):
    given = {"name": "B", "url": "http://a"} | {field: value}
    with pytest.raises(Refused) as caught:
        create_backend(organization=make_organization(), actor=None, **given)
    assert caught.value.field == field


def test_a_change_is_written_down_and_announced_once(heard):
    organization = make_organization()
    backend = create_backend(organization=organization, name="B", url="http://a", actor=None)
    create_backend(organization=organization, name="C", url="http://c", actor=None)
    heard.clear()
    change_backend(backend=backend, url="http://b/", timeout_ms=100, actor=None)
    change_backend(backend=backend, url="http://b", actor=None)
    assert heard == [backend.pk]
    changes = AuditEvent.objects.get(action="backend.changed").changes
    assert changes == {"url": ["http://a", "http://b"], "timeout_ms": [29_000, 100]}
    with pytest.raises(Refused) as caught:
        change_backend(backend=backend, name="C", actor=None)
    assert (caught.value.field, caught.value.code) == ("name", "taken")
    with pytest.raises(TypeError):
        change_backend(backend=backend, organization=organization, actor=None)


def test_a_backend_has_further_servers_with_weights_health_and_retries():
    backend = create_backend(
        organization=make_organization(),
        name="Many",
        url="http://a:1/x",
        weight=3,
        targets=[{"url": "http://B:2"}, {"url": "http://c/x/", "weight": 5}],
        health={"failures": 3, "rest_ms": 1_000},
        retries={"attempts": 1},
        actor=None,
    )
    backend.refresh_from_db()
    assert backend.targets == [{"url": "http://b:2/x", "weight": 1}, {"url": "http://c/x", "weight": 5}]
    assert backend.health == {"failures": 3, "rest_ms": 1_000}
    assert backend.retries == {"attempts": 1, "on": ["error"]}
    change_backend(backend=backend, targets=[], health=None, retries=None, actor=None)
    backend.refresh_from_db()
    assert (backend.targets, backend.health, backend.retries) == ([], None, None)


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("weight", {"weight": 0}),
        ("targets", {"targets": "http://b"}),
        ("targets.0.url", {"targets": [{"weight": 1}]}),
        ("targets.0.url", {"targets": [{"url": "https://b"}]}),
        ("targets.0.url", {"targets": [{"url": "http://b/other"}]}),
        ("targets.0.url", {"targets": [{"url": "http://a"}]}),
        ("targets.0.url", {"targets": [{"url": "http://169.254.169.254"}]}),
        ("targets.0.weight", {"targets": [{"url": "http://b", "weight": 1_001}]}),
        ("targets.0.wieght", {"targets": [{"url": "http://b", "wieght": 1}]}),
        ("health.rest_ms", {"health": {"failures": 1}}),
        ("retries.attempts", {"retries": {"attempts": 9}}),
    ],
)
def test_servers_that_cannot_be_are_refused_at_their_field(field, fields):
    backend = create_backend(organization=make_organization(), name="B", url="http://a", actor=None)
    with pytest.raises(Refused) as caught:
        change_backend(backend=backend, actor=None, **fields)
    assert caught.value.field == field


def test_stages_follow_when_a_backends_retries_change():
    stage = make_stage()
    backend = create_backend(organization=stage.organization, name="B", url="http://a", actor=None)
    heard = []

    def listen(stage_ids, **_):
        heard.append(stage_ids)

    stages_changed.connect(listen)
    change_backend(backend=backend, name="C", actor=None)
    change_backend(backend=backend, retries={"attempts": 1}, actor=None)
    stages_changed.disconnect(listen)
    assert heard == [[stage.pk]]
