"""Policies in the document: written in AWS's words where there are some, live with the next deploy."""

import pytest

from accounts.errors import Refused
from apis.document_settings import (
    change_document_settings,
    document_policy,
    document_settings,
    set_document_policy,
)
from apis.models import ApiVersion
from apis.publish import deploy
from tests.apis.factories import document, imported
from tests.factories import audit_actions, make_operation

pytestmark = pytest.mark.django_db

CORS = {"origins": ["https://a.example"], "methods": ["GET"]}
SETTINGS = {
    "policy": {"cache": {"ttl": 5}, "cors": CORS},
    "key_source": {"place": "query", "name": "key"},
    "responses": {"THROTTLED": {"status": 503, "headers": {"Retry-After": "'1'"}}},
    "compress_from": 1_000,
}


def small():
    return imported(document({"/a": {"get": {"summary": "A"}}, "/b": {"get": {}}}))


def test_settings_are_written_read_back_and_frozen_with_a_deployment():
    version = small()
    change_document_settings(version=version, actor=None, **SETTINGS)
    written = ApiVersion.objects.get().document
    assert written["x-gatehouse-policy"] == {"cache": {"ttl": 5}}
    assert written["x-gatehouse-key-source"] == {"place": "query", "name": "key"}
    assert written["x-amazon-apigateway-cors"] == {
        "allowOrigins": ["https://a.example"],
        "allowMethods": ["GET"],
    }
    assert written["x-amazon-apigateway-minimum-compression-size"] == 1_000
    assert written["x-amazon-apigateway-gateway-responses"]["THROTTLED"]["statusCode"] == "503"
    root = document_settings(version)
    assert {name: getattr(root, name) for name in SETTINGS} == SETTINGS
    compiled = deploy(version=version, actor=None).compiled
    assert {name: compiled[name] for name in SETTINGS} == SETTINGS
    assert "version.settings_changed" in audit_actions()


def test_what_is_empty_is_taken_out_of_the_document():
    version = small()
    before = version.document
    change_document_settings(version=version, actor=None, **SETTINGS)
    nothing = {"policy": {}, "key_source": None, "responses": {}, "compress_from": None}
    change_document_settings(version=version, actor=None, **nothing)
    assert ApiVersion.objects.get().document == before


def test_what_a_setting_says_already_stays_as_its_author_wrote_it():
    written = {
        "x-amazon-apigateway-api-key-source": "header",
        "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"], "maxAge": "5", "note": "ours"},
        "x-amazon-apigateway-gateway-responses": {"NOT_OURS": {"statusCode": 400}},
    }
    version = imported(document({"/a": {"get": {}}}, **written))
    root = document_settings(version)
    same = {name: getattr(root, name) for name in SETTINGS}
    policy = root.policy | {"timeout_ms": 500}
    change_document_settings(version=version, actor=None, **same | {"policy": policy})
    found = ApiVersion.objects.get().document
    assert found["x-gatehouse-policy"] == {"timeout_ms": 500}
    assert {name: found[name] for name in written} == written


@pytest.mark.parametrize("cors", [CORS, None])
def test_cors_of_our_own_policy_moves_to_amazons_extension(cors):
    theirs = {"allowOrigins": ["https://b.example"]}
    given = {"x-gatehouse-policy": {"cors": cors}, "x-amazon-apigateway-cors": theirs}
    version = imported(document({"/a": {"get": {}}}, **given))
    before = document_settings(version).policy.get("cors")
    change_document_settings(version=version, actor=None, policy=document_settings(version).policy)
    assert document_settings(version).policy.get("cors") == before == cors
    change_document_settings(version=version, actor=None, policy={})
    assert document_settings(version).policy == {}


def test_amazons_own_key_source_is_written_for_authorizers():
    version = small()
    change_document_settings(version=version, key_source={"place": "authorizer"}, actor=None)
    assert version.document["x-amazon-apigateway-api-key-source"] == "AUTHORIZER"
    assert version.operations.exclude(unserved_reason="").count() == 2
    change_document_settings(version=version, key_source={"place": "header"}, actor=None)
    assert "x-amazon-apigateway-api-key-source" not in version.document


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("policy.cache.ttl", {"policy": {"cache": {"ttl": -1}}}),
        ("key_source.place", {"key_source": {"place": "cookie"}}),
        ("responses.TEAPOT", {"responses": {"TEAPOT": {}}}),
        ("compress_from", {"compress_from": "much"}),
    ],
)
def test_what_cannot_be_used_is_refused_at_its_field(field, settings):
    version = small()
    with pytest.raises(Refused) as caught:
        change_document_settings(version=version, actor=None, **settings)
    assert caught.value.field == field


def test_an_operations_policy_is_written_into_the_document_and_frozen():
    version = small()
    operation = version.operations.get(path="/a")
    set_document_policy(operation=operation, policy={"max_body": 9}, actor=None)
    operation.version.refresh_from_db()
    assert document_policy(operation) == {"max_body": 9}
    assert version.document["paths"]["/a"]["get"]["summary"] == "A"
    compiled = deploy(version=version, actor=None).compiled["operations"]
    assert [each.get("policy") for each in compiled] == [{"max_body": 9}, None]
    set_document_policy(operation=operation, policy=None, actor=None)
    assert document_policy(operation) == {}


def test_an_operation_that_is_gone_from_the_document_can_have_no_policy_there():
    gone = make_operation(small(), path="/gone")
    with pytest.raises(Refused) as caught:
        set_document_policy(operation=gone, policy={}, actor=None)
    assert (caught.value.field, caught.value.code) == ("operation", "removed")
    with pytest.raises(Refused) as caught:
        set_document_policy(operation=gone, policy={"cache": {}}, actor=None)
    assert caught.value.field == "policy.cache.ttl"
