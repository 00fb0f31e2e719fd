"""The front page: search, categories and tags, without JavaScript."""

import pytest
from django.urls import reverse

from apis.models import Visibility
from tests.factories import make_api, make_staff, make_stage, make_token, make_version
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def apis():
    maps = make_api(name="Maps", slug="maps", category="Geo", tags=["free", "tiles"])
    pay = make_api(maps.organization, name="Pay", slug="pay", category="Money", tags=["free"])
    hidden = make_api(name="Hidden", category="Secret", tags=["hush"], visibility=Visibility.PRIVATE)
    for each in (maps, pay, hidden):
        make_stage(make_version(each))
    return maps, pay


def names(**query):
    return [each.name for each in signed_in(None).get("/", query).context["apis"]]


def test_categories_and_tags_narrow_the_list_and_each_other(apis):
    assert names() == ["Maps", "Pay"]
    assert names(category="Geo") == ["Maps"]
    assert names(tag="free") == ["Maps", "Pay"]
    assert names(tag="free", category="Money") == ["Pay"]
    assert names(tag="tiles", q="pay") == []


def test_the_filters_are_links_that_keep_the_rest_and_name_nothing_hidden(apis):
    page = signed_in(None).get("/", {"q": "maps", "tag": "free"})
    assert page.context["categories"] == [("Geo", 1), ("Money", 1)]
    assert page.context["tags"] == [("free", 2), ("tiles", 1)]
    body = page.content.decode()
    assert 'href="?q=maps&amp;tag=free&amp;category=Geo"' in body
    assert '<input type="hidden" name="tag" value="free">' in body
    assert "Secret" not in body
    assert "hush" not in body


def test_nothing_found_shows_the_way_out(apis):
    body = signed_in(None).get("/", {"category": "Nope"}).content.decode()
    assert "Nothing matches" in body
    assert "Show all APIs" in body


def test_staff_set_category_and_tags_as_text(apis):
    maps, _ = apis
    given = {"name": "Maps", "visibility": "public", "category": "Places", "tags": "Tiles, OSM"}
    page = reverse("admin:apis_api_change", args=[maps.pk])
    assert signed_in(make_staff("sam")).post(page, given).status_code == 302
    maps.refresh_from_db()
    assert (maps.category, maps.tags) == ("Places", ["tiles", "osm"])


def test_programs_filter_too(apis):
    _, token = make_token(apis[0].organization)
    found = signed_in(None).get("/api/v1/catalogue?tag=tiles", headers={"authorization": f"Bearer {token}"})
    assert [(each["name"], each["tags"]) for each in found.json()["results"]] == [("Maps", ["free", "tiles"])]
