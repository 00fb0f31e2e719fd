"""Providers' pages about an API."""

import pytest
from django.urls import reverse

from accounts.errors import Refused
from apis.models import ApiPage, Visibility
from apis.pages import change_page, create_page, delete_page, published_pages
from tests.factories import audit_actions, make_api, make_staff, make_stage, make_version
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db


def test_pages_are_written_ordered_changed_and_deleted():
    api = make_api()
    last = create_page(api=api, title="Webhooks in depth", position=2, actor=None)
    first = create_page(api=api, title="Start", slug="begin", actor=None)
    draft = create_page(api=api, title="Draft", published=False, actor=None)
    assert (last.slug, last.organization) == ("webhooks-in-depth", api.organization)
    assert published_pages(api) == [first, last]
    change_page(page=draft, published=True, position=1, text="**New**", actor=None)
    assert published_pages(api) == [first, draft, last]
    delete_page(page=draft, actor=None)
    assert audit_actions() == ["api_page.created"] * 3 + ["api_page.changed", "api_page.deleted"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"title": ""}, "slug"),
        ({"title": "", "slug": "x"}, "title"),
        ({"title": "!"}, "slug"),
        ({"title": "A", "slug": "a b"}, "slug"),
        ({"title": "Taken"}, "slug"),
    ],
)
def test_what_is_no_page_is_refused(given, field):
    api = make_api()
    create_page(api=api, title="Taken", actor=None)
    with pytest.raises(Refused) as refused:
        create_page(api=api, actor=None, **given)
    assert refused.value.field == field


def test_readers_see_published_pages_of_apis_that_they_see():
    api = make_api(slug="maps")
    make_stage(make_version(api))
    create_page(api=api, title="Guide", text="## Steps\n\n<script>alert(1)</script>**bold**", actor=None)
    create_page(api=api, title="Draft", published=False, actor=None)
    overview = signed_in(None).get("/apis/maps/").content.decode()
    assert 'href="/apis/maps/pages/guide/"' in overview
    assert "Draft" not in overview
    page = signed_in(None).get("/apis/maps/pages/guide/").content.decode()
    assert "<strong>bold</strong>" in page
    assert "alert(1)" not in page
    assert signed_in(None).get("/apis/maps/pages/draft/").status_code == 404
    api.visibility = Visibility.PRIVATE
    api.save()
    assert signed_in(None).get("/apis/maps/pages/guide/").status_code == 404


def test_staff_edit_pages_in_the_admin_console():
    api = make_api()
    sam = signed_in(make_staff("sam"))
    given = {"api": api.pk, "title": "Guide", "slug": "", "text": "Hello", "position": 1, "published": "on"}
    assert sam.post(reverse("admin:apis_apipage_add"), given).status_code == 302
    page = ApiPage.objects.get()
    assert (page.slug, page.text, page.published) == ("guide", "Hello", True)
    changed = {"title": "Guides", "slug": "guide", "text": "Hi", "position": 1}
    assert sam.post(reverse("admin:apis_apipage_change", args=[page.pk]), changed).status_code == 302
    page.refresh_from_db()
    assert (page.title, page.text, page.published) == ("Guides", "Hi", False)
    assert sam.post(reverse("admin:apis_apipage_delete", args=[page.pk]), {"post": "yes"}).status_code == 302
    assert not ApiPage.objects.exists()
