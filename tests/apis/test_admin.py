"""The admin console: every page and every action, through Django's client."""

import json

import pytest
from django.contrib.messages import get_messages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apis.models import Api, ApiVersion, Backend, BasePathMapping, Deployment, Stage, VersionState
from apis.publish import deploy
from tests.apis.factories import imported, text_of
from tests.factories import (
    audit_actions,
    make_api,
    make_backend,
    make_organization,
    make_staff,
    make_stage,
    make_user,
)

pytestmark = pytest.mark.django_db
MODELS = ["api", "apiversion", "backend", "basepathmapping", "deployment", "operation", "stage"]


@pytest.fixture
def staff(client):
    client.force_login(make_staff("alice"))
    return client


def page(model, what, *args):
    return reverse(f"admin:apis_{model}_{what}", args=args)


def errors(response):
    """The errors that a page shows, by field ('' = none in particular)."""
    assert response.status_code == 200, response
    form = response.context["adminform"].form if "adminform" in response.context else response.context["form"]
    return {name.replace("__all__", ""): list(found) for name, found in form.errors.items()}


def said(response):
    return [str(each) for each in get_messages(response.wsgi_request)]


def act(client, model, action, *rows):
    chosen = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(page(model, "changelist"), chosen)


def import_data(**given):
    data = {"name": "v1", "new_api": "", "url": "", "text": "", "new_backend_url": "", "key_required": "on"}
    return data | given


@pytest.mark.parametrize("model", MODELS)
def test_lists_are_for_staff_only_and_can_be_searched(client, staff, model):
    version = imported()
    deploy(version=version, actor=None)
    response = staff.get(page(model, "changelist"), {"q": "o"})
    assert response.status_code == 200
    client.force_login(make_user("charlie"))
    assert client.get(page(model, "changelist")).status_code == 302


def test_every_row_has_a_page(staff):
    version = imported(text_of("shop.openapi30.json"))
    deployment = deploy(version=version, actor=None)
    rows = [
        version.api,
        version,
        version.backend,
        deployment,
        Stage.objects.get(),
        BasePathMapping.objects.get(),
        version.operations.first(),
    ]
    for row in rows:
        assert staff.get(page(row._meta.model_name, "change", row.pk)).status_code == 200
    shown = staff.get(page("apiversion", "change", version.pk)).content.decode()
    assert "/paths/~1lambda/post/x-amazon-apigateway-integration" in shown
    assert "/shop/v1" in shown
    assert "Published" in shown
    assert "&#x27;published&#x27;" not in shown
    assert "4 operations, 1 of them not served" in shown


def test_an_api_is_created_and_changed_through_its_verbs(staff):
    organization = make_organization()
    data = {"organization": organization.pk, "name": "Shop", "slug": "", "visibility": "public"}
    assert staff.post(page("api", "add"), data).status_code == 302
    api = Api.objects.get()
    assert api.slug == "shop"
    changed = {"name": "Store", "summary": "S", "description": "", "visibility": "private"}
    assert staff.post(page("api", "change", api.pk), changed).status_code == 302
    api.refresh_from_db()
    assert (api.name, api.visibility) == ("Store", "private")
    assert audit_actions() == ["api.created", "api.changed"]
    assert "slug" in errors(staff.post(page("api", "add"), data | {"slug": "ping"}))


def test_a_backend_is_created_and_changed_and_refused_at_its_field(staff):
    data = {"organization": make_organization().pk, "name": "B", "url": "http://a/"}
    data |= {"connect_timeout_ms": 100, "timeout_ms": 1_000}
    assert staff.post(page("backend", "add"), data).status_code == 302
    backend = Backend.objects.get()
    assert backend.url == "http://a"
    assert staff.post(page("backend", "change", backend.pk), data | {"url": "http://b"}).status_code == 302
    assert "url" in errors(staff.post(page("backend", "change", backend.pk), data | {"url": "ftp://b"}))
    backend.refresh_from_db()
    assert backend.url == "http://b"


def test_a_version_is_imported_with_a_new_api_and_a_new_backend(staff):
    assert staff.get(page("apiversion", "add")).status_code == 200
    upload = SimpleUploadedFile("spec.json", text_of("httpbin.json"))
    data = import_data(
        organization=make_organization().pk, new_api="httpbin", upload=upload, new_backend_url="http://a:1/"
    )
    response = staff.post(page("apiversion", "add"), data)
    version = ApiVersion.objects.get()
    assert response.url == page("apiversion", "change", version.pk)
    assert said(response) == ["Imported httpbin v1: 78 operations, 0 errors, 5 warnings."]
    assert (version.api.slug, version.backend.url, version.key_required) == ("httpbin", "http://a:1", True)


def test_a_version_is_imported_by_paste_and_by_url_for_what_is_there(staff, monkeypatch):
    backend = make_backend()
    api = make_api(backend.organization)
    pasted = import_data(api=api.pk, backend=backend.pk, text=text_of("shop.swagger.yaml").decode())
    assert staff.post(page("apiversion", "add"), pasted).status_code == 302
    monkeypatch.setattr("apis.forms.fetch_document", lambda url: text_of("shop.openapi30.json"))
    fetched = import_data(api=api.pk, name="v2", url="http://x/spec.json")
    response = staff.post(page("apiversion", "add"), fetched)
    assert any("The document speaks of https://eu.example.com/v3." in each for each in said(response))
    assert [each.name for each in api.versions.order_by("name")] == ["v1", "v2"]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("url", {"text": ""}),
        ("text", {"url": "http://x"}),
        ("text", {"text": "nonsense"}),
        ("url", {"text": "", "url": "ftp://x"}),
        ("name", {"name": "v 1"}),
        ("organization", {"organization": ""}),
        ("api", {"new_api": ""}),
        ("new_backend_url", {"new_backend_url": "ftp://x"}),
    ],
)
def test_an_import_that_is_refused_leaves_nothing_behind(staff, field, given):
    data = import_data(organization=make_organization().pk, new_api="A", text='{"swagger": "2.0"}')
    assert list(errors(staff.post(page("apiversion", "add"), data | given))) == [field]
    assert not ApiVersion.objects.exists()
    assert not Api.objects.exists()
    assert audit_actions() == []


def test_backend_and_key_default_of_a_version_are_changed(staff):
    version = imported(url="")
    backend = make_backend(version.organization)
    url = page("apiversion", "change", version.pk)
    assert staff.post(url, {"backend": backend.pk}).status_code == 302
    version.refresh_from_db()
    assert (version.backend, version.key_required) == (backend, False)
    assert "backend" in errors(staff.post(url, {"backend": make_backend().pk}))


def test_a_version_is_deployed_re_imported_deprecated_retired_and_reinstated(staff):
    version = imported()

    def send(action, **data):
        url = page("apiversion", action, version.pk)
        assert staff.get(url).status_code == 200
        response = staff.post(url, data)
        version.refresh_from_db()
        return response

    assert send("deploy_page", stage_name="live", note="First").status_code == 302
    assert (version.state, Deployment.objects.get().note) == (VersionState.PUBLISHED, "First")
    assert "stage_name" in errors(send("deploy_page", stage_name="a b"))
    assert (
        send("reimport_page", text=json.dumps({"openapi": "3.0", "paths": {"/x": {"get": {}}}})).status_code
        == 302
    )
    assert [str(each) for each in version.operations.filter(removed_at=None)] == ["GET /x"]
    assert "text" in errors(send("reimport_page", text="nonsense"))
    sunset = {"sunset_at_0": "2099-01-01", "sunset_at_1": "00:00"}
    assert send("deprecate_page", **sunset).status_code == 302
    assert version.sunset_at.year == 2099
    assert send("retire_now").status_code == 302
    assert version.state == VersionState.RETIRED
    refused = send("deploy_page", stage_name="live")
    assert "retired" in errors(refused)[""][0]
    assert "retired: reinstate it first" in refused.content.decode()
    assert send("reinstate_now").status_code == 302
    assert version.state == VersionState.PUBLISHED


def test_chosen_versions_are_deployed_deprecated_retired_and_reinstated(staff):
    good, bad = imported(), imported(url="")
    told = said(act(staff, "apiversion", "deploy_to_live", good, bad))
    assert told[-1] == "Deployed: 1"
    assert "Name a backend" in told[0]
    for action, state in (
        ("deprecate_chosen", VersionState.DEPRECATED),
        ("retire_chosen", VersionState.RETIRED),
        ("reinstate_chosen", VersionState.PUBLISHED),
    ):
        act(staff, "apiversion", action, good)
        good.refresh_from_db()
        assert good.state == state


def test_a_stage_is_changed_rolled_back_and_promoted(staff):
    version = imported()
    first, second = (deploy(version=version, actor=None) for _ in range(2))
    stage = version.stages.get()
    settings = {"variables": '{"host": "a"}', "throttle_rate": "5", "throttle_burst": "10"}
    assert staff.post(page("stage", "change", stage.pk), settings).status_code == 302
    stage.refresh_from_db()
    assert (stage.variables, stage.throttle_rate) == ({"host": "a"}, 5)
    half = errors(staff.post(page("stage", "change", stage.pk), settings | {"throttle_burst": ""}))
    assert half
    url = page("stage", "roll_back_page", stage.pk)
    assert staff.get(url).status_code == 200
    assert staff.post(url, {"deployment": ""}).status_code == 302
    stage.refresh_from_db()
    assert stage.deployment == first
    assert "no deployment before" in errors(staff.post(url, {"deployment": ""}))["deployment"][0]
    assert staff.post(url, {"deployment": second.pk}).status_code == 302
    assert said(act(staff, "stage", "roll_back_chosen", stage))[-1] == "Rolled back: 1"
    url = page("stage", "promote_page", stage.pk)
    assert staff.get(url).status_code == 200
    assert staff.post(url, {"to": "next"}).status_code == 302
    assert Stage.objects.get(name="next").deployment == first
    assert "to" in errors(staff.post(url, {"to": "live"}))


def test_chosen_operations_are_opened_and_closed(staff):
    version = imported()
    rows = list(version.operations.all())
    told = said(act(staff, "operation", "open_without_key", *rows))
    assert told == ["2 operations of Shop v1 are open from the next deploy."]
    assert not version.operations.filter(key_required=True).exists()
    act(staff, "operation", "require_key", rows[0])
    assert [each.key_required for each in version.operations.all()] == [True, False]


@pytest.mark.parametrize("served", ["yes", "no", "removed"])
def test_operations_are_filtered_by_whether_they_are_served(staff, served):
    imported(text_of("shop.openapi30.json"))
    response = staff.get(page("operation", "changelist"), {"served": served})
    assert response.context["cl"].result_count == {"yes": 3, "no": 1, "removed": 0}[served]


def test_an_address_is_mapped_moved_and_unmapped(staff):
    stage = make_stage()
    other = make_stage(stage.version, name="next")
    data = {"stage": stage.pk, "host": "api.example.com", "base_path": "/shop/"}
    assert staff.post(page("basepathmapping", "add"), data).status_code == 302
    mapping = BasePathMapping.objects.get()
    assert mapping.base_path == "shop"
    assert "host" in errors(staff.post(page("basepathmapping", "add"), data | {"host": "not a host"}))
    assert staff.post(page("basepathmapping", "change", mapping.pk), {"stage": other.pk}).status_code == 302
    mapping.refresh_from_db()
    assert mapping.stage == other
    assert staff.post(page("basepathmapping", "delete", mapping.pk), {"post": "yes"}).status_code == 302
    assert not BasePathMapping.objects.exists()
    assert audit_actions() == ["mapping.created", "mapping.moved", "mapping.removed"]


@pytest.mark.parametrize("model", ["deployment", "stage", "operation"])
def test_what_verbs_make_cannot_be_added_or_deleted_by_hand(staff, model):
    version = imported()
    deploy(version=version, actor=None)
    row = {"deployment": Deployment, "stage": Stage}.get(
        model, type(version.operations.first())
    ).objects.first()
    assert staff.get(page(model, "add")).status_code == 403
    assert staff.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
