"""The catalogue, addresses, and the document for developers."""

import pytest
from django.contrib.auth.models import AnonymousUser

from apis.models import Visibility
from apis.publish import deploy, map_base_path
from apis.queries import (
    canonical_address,
    catalogue,
    live_stage,
    stage_address,
    stage_addresses,
    version_document_for_readers,
)
from apis.versions import replace_document, retire
from tests.apis.factories import document, imported, text_of
from tests.factories import make_api, make_mapping, make_organization, make_stage, make_user, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def gateway(settings):
    settings.GATEWAY_URL = "http://127.0.0.1:8080"


def test_the_catalogue_shows_what_can_be_called_to_those_who_may_see_it():
    alice, charlie = make_user("alice"), make_user("charlie")
    provider = make_organization(alice)
    for name, visibility in (
        ("A", Visibility.PUBLIC),
        ("B", Visibility.SIGNED_IN),
        ("C", Visibility.PRIVATE),
    ):
        make_stage(make_version(make_api(provider, name=name, visibility=visibility)))
    make_version(make_api(provider, name="never deployed"))

    def names(user):
        return [each.name for each in catalogue(user)]

    assert names(None) == names(AnonymousUser()) == ["A"]
    assert names(charlie) == ["A", "B"]
    assert names(alice) == ["A", "B", "C"]


def test_a_retired_version_leaves_the_catalogue():
    version = imported()
    deploy(version=version, actor=None)
    assert [list(api.versions.all()) for api in catalogue(None)] == [[version]]
    retire(version=version, actor=None)
    assert not catalogue(None)


@pytest.mark.parametrize("count", [1, 3])
def test_a_longer_catalogue_asks_no_more_queries(django_assert_num_queries, count):
    for _ in range(count):
        make_mapping()
    with django_assert_num_queries(4):
        for api in catalogue(None):
            for version in api.versions.all():
                assert stage_address(live_stage(version)).startswith("http://127.0.0.1:8080/api-")


def test_a_host_of_its_own_comes_before_the_shared_one_and_the_canonical_last():
    stage = make_stage()
    canonical = f"http://{stage.version_id}.execute-api.localhost:8080/live"
    assert stage_address(stage) == canonical_address(stage) == canonical
    map_base_path(stage=stage, base_path="shop", actor=None)
    assert stage_address(stage) == "http://127.0.0.1:8080/shop"
    map_base_path(stage=stage, host="api.example.com", base_path="", actor=None)
    assert stage_address(stage) == "http://api.example.com:8080"
    assert stage_addresses(stage) == ["http://127.0.0.1:8080/shop", "http://api.example.com:8080", canonical]


def test_developers_read_what_is_deployed_not_what_was_imported_since():
    version = imported(text_of("httpbin.json"))
    deploy(version=version, actor=None)
    replace_document(version=version, document=document({"/new": {"get": {}}}), actor=None)
    shown = version_document_for_readers(version)
    assert (shown["host"], shown["basePath"]) == ("127.0.0.1:8080", "/shop/v1")
    assert shown["paths"]["/get"]["get"]["security"] == [{"api_key": []}]
    assert "/new" not in shown["paths"]


def test_a_draft_shows_its_newest_document_with_what_is_not_served():
    version = imported(text_of("shop.openapi30.json"), url="")
    shown = version_document_for_readers(version)
    assert shown["servers"] == [{"url": "http://127.0.0.1:8080"}]
    assert "x-gatehouse-not-served" in shown["paths"]["/lambda"]["post"]
    assert "x-gatehouse-not-served" in shown["paths"]["/open"]["get"]
