"""The changelog between versions, on the pages, in the admin console and over REST."""

import pytest
from django.urls import reverse

from apis.publish import deploy
from apis.versions import create_version, replace_document
from tests.apis.factories import document, imported
from tests.factories import make_organization, make_staff, make_token
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db
FIRST = {"/pets": {"get": {"summary": "List"}}, "/old": {"get": {}}}
SECOND = {"/pets": {"get": {"deprecated": True}}, "/new": {"post": {}}}


def published(paths, name="v1", api=None, organization=None):
    if api:
        backend = api.organization.backends.get()
        given = document(paths)
        version = create_version(api=api, name=name, document=given, backend=backend, actor=None)
    else:
        version = imported(document(paths), name=name, organization=organization or make_organization())
    deploy(version=version, actor=None)
    return version


def test_the_newest_version_is_compared_with_the_one_before():
    first = published(FIRST)
    published(SECOND, "v2", first.api)
    page = signed_in(None).get(reverse("changelog", args=["shop"]))
    assert (page.context["since"].name, page.context["to"].name) == ("v1", "v2")
    assert page.context["counts"] == "1 breaking change, 1 added, 1 deprecated, 1 removed"
    body = page.content.decode()
    assert "GET /old" in body
    assert "may fail on v2" in body
    shown = signed_in(None).get(reverse("api", args=["shop"])).content.decode()
    assert "What changed in v2" in shown
    assert "GET /old" in shown


def test_any_two_versions_can_be_compared_and_only_these():
    first = published(FIRST)
    published(SECOND, "v2", first.api)
    address = reverse("changelog", args=["shop"])
    turned = signed_in(None).get(address, {"from": "v2", "to": "v1"})
    assert {(each.kind, each.path) for each in turned.context["changes"]} == {
        ("added", "/old"),
        ("removed", "/new"),
        ("changed", "/pets"),
    }
    assert signed_in(None).get(address, {"from": "v9"}).status_code == 404


def test_one_version_has_nothing_to_be_compared_with():
    published(FIRST)
    assert "There is one version only" in signed_in(None).get("/apis/shop/changes/").content.decode()
    assert "What changed" not in signed_in(None).get("/apis/shop/").content.decode()


def test_before_a_deploy_staff_and_tokens_see_what_would_break():
    organization = make_organization()
    version = published(FIRST, organization=organization)
    replace_document(version=version, document=document(SECOND), actor=None)
    page = signed_in(make_staff("sam")).get(reverse("admin:apis_apiversion_deploy_page", args=[version.pk]))
    body = page.content.decode()
    assert "Breaks callers" in body
    assert "GET /old" in body
    _, token = make_token(organization)
    found = signed_in(None).get(
        f"/api/v1/versions/{version.pk}/changes", headers={"authorization": f"Bearer {token}"}
    )
    assert found.status_code == 200, found.content
    assert found.json()[0] == {
        "kind": "removed",
        "method": "GET",
        "path": "/old",
        "message": "The operation is gone.",
        "breaking": True,
    }
