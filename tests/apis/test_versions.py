"""Importing documents as versions, and what becomes of their operations."""

import json
import time
from datetime import timedelta

import pytest
from django.utils.timezone import now

from accounts.errors import Refused
from accounts.models import AuditEvent
from apis.backends import create_backend
from apis.models import ApiVersion, Operation, VersionState
from apis.openapi.operations import operation_objects
from apis.openapi.parse import from_data
from apis.publish import deploy
from apis.signals import stages_changed
from apis.versions import (
    change_api,
    create_api,
    create_version,
    deprecate,
    reinstate,
    replace_document,
    retire,
    set_backend,
    set_key_default,
    set_key_required,
    set_keys_required,
)
from tests.apis.factories import document, imported, text_of
from tests.factories import audit_actions, make_api, make_mapping, make_organization, make_user

pytestmark = pytest.mark.django_db
ENDPOINT = "x-amazon-apigateway-endpoint-configuration"
SMALL = {
    "openapi": "3.0.3",
    "info": {"title": "T"},
    "paths": {"/b": {"get": {}}, "/a": {"get": {}, "put": {}}},
}


def names(version):
    return [str(each) for each in version.operations.filter(removed_at=None)]


def refused(verb, **given):
    with pytest.raises(Refused) as caught:
        verb(actor=None, **given)
    return caught.value


def test_an_api_gets_a_free_slug_from_its_name():
    organization = make_organization()
    slugs = [
        create_api(organization=organization, name=name, actor=None).slug
        for name in ("My Shop", "My  Shop!", "ping", "北京")
    ]
    assert slugs == ["my-shop", "my-shop-2", "ping-api", "my-api"]


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("name", {"name": " "}),
        ("name", {"name": "x" * 121}),
        ("slug", {"name": "A", "slug": "Not A Slug"}),
        ("slug", {"name": "A", "slug": "ping"}),
        ("slug", {"name": "A", "slug": "taken"}),
        ("slug", {"name": "A", "slug": "squatted"}),
        ("summary", {"name": "A", "summary": "x" * 201}),
        ("visibility", {"name": "A", "visibility": "nobody"}),
    ],
)
def test_an_api_is_refused_at_the_field_that_is_wrong(field, given):
    make_api(slug="taken")
    make_mapping(base_path="squatted/v1")
    assert refused(create_api, organization=make_organization(), **given).field == field


def test_changing_an_api_is_written_down():
    alice = make_user("alice")
    api = create_api(organization=make_organization(), name="Shop", actor=alice)
    change_api(api=api, name="Store", visibility="private", actor=alice)
    api.refresh_from_db()
    assert (api.name, api.slug, api.visibility) == ("Store", "shop", "private")
    event = AuditEvent.objects.get(action="api.changed")
    assert event.changes == {"name": ["Shop", "Store"], "visibility": ["public", "private"]}
    with pytest.raises(TypeError):
        change_api(api=api, slug="other", actor=alice)


def test_an_import_keeps_the_document_in_its_order_and_lists_its_operations():
    text = text_of("httpbin.json")
    version = imported(text)
    fresh = ApiVersion.objects.get(pk=version.pk)
    assert json.dumps(fresh.document) == json.dumps(json.loads(text))
    assert fresh.state == VersionState.DRAFT
    assert fresh.operations.count() == 78
    assert fresh.operations.filter(unserved_reason="").exclude(key_required=True).count() == 0
    assert {each["level"] for each in fresh.findings} == {"warning", "info"}
    assert audit_actions() == ["api.created", "backend.created", "version.created"]


@pytest.mark.parametrize("name", ["shop.swagger.yaml", "shop.openapi30.json", "shop.openapi31.yaml"])
def test_every_specification_is_imported(name):
    assert imported(text_of(name)).operations.exists()


def test_odd_texts_are_stored_as_they_are():
    odd = {
        "openapi": "3.0",
        "info": {"title": "a\x00b"},
        "x": "\ud800",
        "paths": {"/a": {"get": {"summary": "\x00\ud800"}}},
    }
    version = imported(json.dumps(odd))
    assert ApiVersion.objects.get(pk=version.pk).document == odd
    assert version.operations.get().summary == "\ufffd\ufffd"


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("document", {"document": "nonsense"}),
        ("document", {"document": {"a": "b"}}),
        ("name", {"name": "v 1"}),
        ("name", {"name": ""}),
    ],
)
def test_an_import_is_refused_at_the_field_that_is_wrong(field, given):
    values = {"api": make_api(), "name": "v1", "document": SMALL} | given
    assert refused(create_version, **values).field == field
    assert not ApiVersion.objects.exists()


def test_a_name_is_taken_once_and_a_backend_must_be_ones_own():
    version = imported(SMALL)
    error = refused(create_version, api=version.api, name="v1", document=SMALL)
    assert (error.field, error.code) == ("name", "taken")
    foreign = create_backend(organization=make_organization(), name="F", url="http://f.example", actor=None)
    assert (
        refused(create_version, api=version.api, name="v2", document=SMALL, backend=foreign).field
        == "backend"
    )
    assert refused(set_backend, version=version, backend=foreign).field == "backend"


def test_operations_keep_their_ids_over_re_imports():
    version = imported(SMALL)
    before = {str(each): each.pk for each in version.operations.all()}
    assert names(version) == ["GET /b", "GET /a", "PUT /a"]
    newer = {**SMALL, "paths": {"/a": {"get": {"summary": "New"}}, "/c": {"get": {}}}}
    replace_document(version=version, document=newer, actor=None)
    assert names(version) == ["GET /a", "GET /c"]
    assert version.operations.get(path="/b").removed_at is not None
    event = AuditEvent.objects.get(action="version.reimported")
    assert event.changes == {
        "added": {"count": 1, "first": ["GET /c"]},
        "changed": {"count": 1, "first": ["GET /a"]},
        "removed": {"count": 2, "first": ["GET /b", "PUT /a"]},
    }
    replace_document(version=version, document=SMALL, actor=None)
    assert names(version) == ["GET /b", "GET /a", "PUT /a"]
    assert before.items() <= {str(each): each.pk for each in version.operations.all()}.items()


def test_a_refused_re_import_changes_nothing():
    version = imported(SMALL)
    assert refused(replace_document, version=version, document="nonsense").field == "document"
    assert ApiVersion.objects.get().document == SMALL


def test_the_document_says_whether_an_operation_needs_a_key():
    version = imported(SMALL)
    operation = version.operations.get(path="/b")
    assert set_key_required(operation=operation, required=False, actor=None).key_required is False
    document = ApiVersion.objects.get().document
    assert document["paths"]["/b"]["get"] == {"security": []}
    assert [each.key_required for each in version.operations.all()] == [False, True, True]
    set_keys_required(version=version, operations=list(version.operations.all()), required=True, actor=None)
    objects = operation_objects(from_data(ApiVersion.objects.get().document))
    assert [each["security"] for each in objects.values()] == [[{"api_key": []}]] * 3
    assert [each.key_required for each in version.operations.all()] == [True] * 3
    assert audit_actions()[-2:] == ["version.key_required_set"] * 2


def test_an_operation_that_is_gone_or_elsewhere_cannot_be_opened():
    version = imported(SMALL)
    gone = version.operations.get(path="/b")
    replace_document(version=version, document={**SMALL, "paths": {}}, actor=None)
    assert refused(set_key_required, operation=gone, required=False).code == "removed"
    other = imported(SMALL)
    assert refused(set_keys_required, version=other, operations=[gone], required=False).field == "operation"


def test_backend_and_key_default_are_projected_onto_the_operations():
    version = imported(SMALL, url="")
    assert all("no backend is named" in each.unserved_reason for each in version.operations.all())
    backend = create_backend(organization=version.organization, name="B", url="http://b.example", actor=None)
    set_backend(version=version, backend=backend, actor=None)
    set_key_default(version=version, required=False, actor=None)
    assert {(each.unserved_reason, each.key_required) for each in version.operations.all()} == {("", False)}
    set_backend(version=version, backend=backend, actor=None)
    set_key_default(version=version, required=False, actor=None)
    assert audit_actions()[-2:] == ["version.backend_set", "version.key_default_set"]


def test_a_version_is_deprecated_retired_and_reinstated_and_nodes_hear_of_it():
    version = imported(SMALL)
    assert refused(retire, version=version).code == "draft"
    deploy(version=version, actor=None)
    stage = version.stages.get()
    heard = []
    stages_changed.connect(lambda stage_ids, **_: heard.append(stage_ids), weak=False, dispatch_uid="test")
    try:
        sunset = now() + timedelta(days=30)
        assert refused(deprecate, version=version, sunset_at=now()).field == "sunset_at"
        assert deprecate(version=version, sunset_at=sunset, actor=None).sunset_at == sunset
        assert retire(version=version, actor=None).state == VersionState.RETIRED
        assert refused(deprecate, version=version).code == "retired"
        assert refused(deploy, version=version).code == "retired"
        assert reinstate(version=version, actor=None).state == VersionState.PUBLISHED
    finally:
        stages_changed.disconnect(dispatch_uid="test")
    assert heard == [[stage.pk]] * 3
    assert (version.deprecated_at, version.sunset_at) == (None, None)


def test_a_large_document_is_imported_deployed_and_re_imported_in_seconds():
    answer = {"200": {"description": "x" * 1_500}}
    paths = {f"/a/{n}/{{x}}": {"get": {"responses": answer}, "put": {}} for n in range(1_500)}
    text = json.dumps({**SMALL, "paths": paths})
    started = time.monotonic()
    version = imported(text)
    deploy(version=version, actor=None)
    replace_document(version=version, document=text, actor=None)
    assert Operation.objects.count() == 3_000
    assert time.monotonic() - started < 10


def test_lists_of_versions_do_not_load_documents(django_assert_num_queries):
    imported(SMALL)
    with django_assert_num_queries(1) as captured:
        assert str(next(iter(ApiVersion.objects.select_related("api")))) == "Shop v1"
    assert '"document"' not in captured.captured_queries[0]["sql"]


@pytest.mark.parametrize("place", ["root", "server"])
def test_a_document_switches_the_canonical_address_off_and_on(place):
    def with_configuration(configuration):
        extension = {} if configuration is None else {ENDPOINT: configuration}
        servers = {"servers": [{"url": "https://a.example.com", **extension}]}
        return document({}, **(extension if place == "root" else servers))

    version = imported(with_configuration({"disableExecuteApiEndpoint": True}))
    assert version.disable_execute_api_endpoint is True
    for configuration, expected in (
        (None, True),
        ({"types": ["REGIONAL"]}, True),
        ({"disableExecuteApiEndpoint": False}, False),
        ({"disableExecuteApiEndpoint": "yes"}, False),
    ):
        replace_document(version=version, document=with_configuration(configuration), actor=None)
        version.refresh_from_db()
        assert version.disable_execute_api_endpoint is expected
