"""Previews: drafts that readers do not see, for their provider and for who has a link."""

import logging
import re
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.branding.change import change_branding
from accounts.branding.pages import create_site_page
from accounts.drafts.keep import drop_draft, fields_of, keep_draft, with_draft
from accounts.drafts.models import Draft
from accounts.errors import Refused
from apis.models import Visibility
from apis.pages import create_page, create_product_page
from apis.products.change import create_product
from portal import preview
from portal.log_filter import HideLinks
from tests.factories import audit_actions, make_api, make_staff, make_stage, make_user, make_version, owner_of
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db


def text(browser, path):
    response = browser.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


@pytest.fixture
def maps():
    api = make_api(name="Maps", slug="maps", summary="Old words")
    make_stage(make_version(api))
    return api


def test_a_draft_waits_until_its_verb_is_called(maps):
    keep_draft(row=maps, actor=None, summary="New words")
    keep_draft(row=maps, actor=None, tags=["tiles"])
    assert fields_of(maps) == {"summary": "New words", "tags": ["tiles"]}
    draft = with_draft(maps)
    assert (draft.summary, draft.tags, maps.summary) == ("New words", ["tiles"], "Old words")
    for given, field in (({"visibility": "private"}, "visibility"), ({"summary": "x" * 201}, "summary")):
        with pytest.raises(Refused) as refused:
            keep_draft(row=maps, actor=None, **given)
        assert refused.value.field == field
    drop_draft(row=maps, actor=None)
    assert with_draft(maps) is maps
    assert audit_actions() == ["draft.kept", "draft.kept", "draft.dropped"]


def test_a_provider_previews_an_api_that_nobody_can_see_yet():
    api = make_api(name="Soon", slug="soon", summary="Old", visibility=Visibility.PRIVATE)
    create_page(api=api, title="Hidden guide", published=False, actor=None)
    guide = create_page(api=api, title="Guide", text="Old text", actor=None)
    keep_draft(row=api, actor=None, summary="Brand new")
    keep_draft(row=guide, actor=None, text="New text")
    alice = signed_in(owner_of(api.organization))
    assert alice.get("/apis/soon/").status_code == 404
    started = alice.get(reverse("preview-start", args=["api", api.pk]))
    assert started["Location"] == "/apis/soon/"
    page = text(alice, "/apis/soon/")
    assert "Brand new" in page
    assert "Hidden guide" in page
    assert "<strong>Preview</strong>" in page
    assert "New text" in text(alice, "/apis/soon/pages/guide/")
    assert "Nothing is written" in text(alice, "/apis/soon/pages/hidden-guide/")
    # it opens those pages, and nothing else
    assert "Soon" not in text(alice, "/").split("</header>")[1]
    alice.post(reverse("preview-leave"))
    assert alice.get("/apis/soon/").status_code == 404


def test_others_need_a_link_that_ends(maps, monkeypatch):
    keep_draft(row=maps, actor=None, summary="New words")
    alice, charlie = signed_in(owner_of(maps.organization)), signed_in(make_user("charlie"))
    place = reverse("preview-share", args=["api", maps.pk])
    assert charlie.get(reverse("preview-start", args=["api", maps.pk])).status_code == 404
    assert charlie.post(place, {"days": "7"}).status_code == 404
    made = alice.post(place, {"days": "1"})
    link = made.context["link"].removeprefix("http://localhost:8000")
    assert audit_actions()[-1] == "preview.shared"
    visitor = signed_in(None)
    assert "Old words" in text(visitor, "/apis/maps/")
    assert visitor.get(link)["Location"] == "/apis/maps/"
    assert "New words" in text(visitor, "/apis/maps/")
    assert "Old words" in text(signed_in(None), "/apis/maps/")
    assert visitor.get(link.replace("/preview/", "/preview/x")).status_code == 404
    later = preview.now() + timedelta(days=1, minutes=1)
    monkeypatch.setattr(preview, "now", lambda: later)
    assert visitor.get(link).status_code == 404
    assert "Old words" in text(visitor, "/apis/maps/")


def test_a_products_draft_is_kept_previewed_and_published_by_hand():
    product = create_product(
        organization=make_api().organization, title="Till", text="Old", published=True, actor=None
    )
    page = create_product_page(product=product, title="Guide", text="Old page", actor=None)
    alice = signed_in(owner_of(product.organization))
    place = reverse("provider-product", args=[product.pk])
    given = {"title": "Till", "slug": "till", "text": "New", "visibility": "public", "published": "on"}
    alice.post(place, given | {"draft": "1"})
    edit = reverse("provider-product-page", args=[product.pk, page.pk])
    words = {"title": "Guide", "slug": "guide", "text": "New page", "position": "0", "published": "on"}
    alice.post(edit, words | {"draft": "1"})
    assert "Old" in text(signed_in(None), "/products/till/")
    assert "Old page" in text(signed_in(None), "/products/till/pages/guide/")
    alice.get(reverse("preview-start", args=["product", product.pk]))
    assert "<p>New</p>" in text(alice, "/products/till/")
    assert "New page" in text(alice, "/products/till/pages/guide/")
    refused = alice.post(place, given | {"visibility": "private", "draft": "1"}).content.decode()
    assert "save it by itself" in refused
    assert "New</textarea>" in text(alice, place)
    alice.post(place, given)
    alice.post(edit, words | {"drop": "1"})
    assert "<p>New</p>" in text(signed_in(None), "/products/till/")
    assert "Old page" in text(signed_in(None), "/products/till/pages/guide/")
    assert not Draft.objects.exists()


def button(client, place, words):
    """What a browser sends when the button with these words is pressed."""
    named = re.search(rf'<button[^>]* name="(\w+)"[^>]*>\s*{words}', text(client, place))
    assert named
    return {named[1]: ""}


def test_staff_draft_the_website_in_the_admin_console():
    look = change_branding(actor=None, name="Acme", accent_light="#0a5f3c")
    create_site_page(title="Imprint", published=False, actor=None)
    sam = signed_in(make_staff("sam"))
    place = reverse("admin:accounts_branding_change", args=[look.pk])
    given = {"name": "Acme two", "accent_light": "#7a1f5c", "accent_dark": "", "links": "Jobs | /jobs/"}
    keep = button(sam, place, "Keep as a draft")
    assert sam.post(place, given | keep).status_code == 302
    assert "Acme two" not in text(signed_in(None), "/")
    for bad in ({"accent_light": "}a{b:c"}, {"links": "Run | javascript:alert(1)"}):
        assert sam.post(place, given | bad | keep).status_code == 200
    assert sam.get(reverse("preview-start", args=["website", "1"]))["Location"] == "/"
    page = text(sam, "/")
    assert "Acme two" in page
    assert "Imprint" in page
    assert "Jobs" in page
    colours = sam.get("/brand.css?v=preview")
    assert "#7a1f5c" in colours.content.decode()
    assert "no-store" in colours["Cache-Control"]
    public = signed_in(None).get("/brand.css?v=preview")
    assert "#0a5f3c" in public.content.decode()
    assert "public" in public["Cache-Control"]
    assert "readers see it when you save" in text(sam, place)
    assert sam.post(place, given).status_code == 302
    assert "Acme two" in text(signed_in(None), "/")
    look.refresh_from_db()
    assert look.footer_links == [{"label": "Jobs", "url": "/jobs/"}]
    assert not Draft.objects.exists()


def test_staff_keep_and_throw_away_a_draft_of_an_api(maps):
    sam = signed_in(make_staff("sam"))
    place = reverse("admin:apis_api_change", args=[maps.pk])
    given = {"name": "Maps", "summary": "New words", "visibility": "public", "tags": ""}
    sam.post(place, given | button(sam, place, "Keep as a draft"))
    maps.refresh_from_db()
    assert (maps.summary, fields_of(maps)) == ("Old words", {"summary": "New words"})
    sam.post(place, given | button(sam, place, "Throw the draft away"))
    maps.refresh_from_db()
    assert (maps.summary, fields_of(maps)) == ("Old words", {})


def test_a_link_that_shows_a_preview_is_in_no_log():
    hidden, own = preview.link_text("api", "abcdefghij", days=1), "/preview/api/abcdefghij/"
    for path, told in ((f"/preview/{hidden}/", "/preview/…/"), (own, own)):
        record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Not Found: %s", (path,), None)
        assert HideLinks().filter(record)
        assert record.getMessage() == f"Not Found: {told}"
