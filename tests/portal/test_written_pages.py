"""What providers and staff write without the admin console: an API's details, pages and guests, and the website."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.branding.models import Branding, SitePage
from accounts.models import AuditEvent
from apis.grants import Given, set_grants
from apis.models import Api
from apis.pages import published_pages
from tests.factories import make_api, make_member, make_organization, make_staff, make_user
from tests.portal.factories import make_open_plan, signed_in

pytestmark = pytest.mark.django_db
PIXEL = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
def api() -> Api:
    found = make_api(make_organization(make_user("alice"), name="Shop"), name="Orders", slug="orders")
    make_open_plan(found)
    return found


def alice_of(api: Api):
    return signed_in(api.organization.members.get(role="owner").user)


def place(name: str, *args: object) -> str:
    return reverse(f"provider-api-{name}", args=args)


def text_of(browser, path: str) -> str:
    return browser.get(path).content.decode()


def test_a_provider_writes_pages_previews_orders_and_publishes_them(api: Api) -> None:
    alice, new = alice_of(api), place("page-new", api.pk)
    assert "Write a page" in text_of(alice, place("pages", api.pk))
    words = {"title": "Start", "text": "# Hello", "position": "2"}
    assert alice.post(new, words)["Location"] == place("pages", api.pk)
    alice.post(new, {"title": "First", "text": "", "position": "1", "published": "on"})
    start = api.pages.get(slug="start")
    assert signed_in(None).get("/apis/orders/pages/start/").status_code == 404
    alice.get(reverse("preview-start", args=["api", api.pk]))
    assert "Hello" in text_of(alice, "/apis/orders/pages/start/")
    edit = place("page", api.pk, start.pk)
    alice.post(edit, words | {"slug": "start", "position": "0", "published": "on"})
    assert [each.title for each in published_pages(api)] == ["Start", "First"]
    alice.post(
        edit, words | {"slug": "start", "position": "0", "published": "on", "text": "Soon", "draft": "1"}
    )
    assert "Hello" in text_of(signed_in(None), "/apis/orders/pages/start/")
    assert "This is a draft" in text_of(alice, edit)
    refused = alice.post(new, {"title": "First", "text": "Typed", "position": "3"}).content.decode()
    assert "has a page first already" in refused
    assert "Typed" in refused
    alice.post(place("page-delete", api.pk, start.pk))
    assert not api.pages.filter(pk=start.pk).exists()
    assert AuditEvent.objects.filter(action="api_page.deleted", actor_label__contains="alice").exists()


def test_a_provider_says_who_sees_it_and_invites_them(api: Api) -> None:
    alice, guests = alice_of(api), place("people", api.pk)
    details = {"name": "Orders", "summary": "All of them", "tags": "shop, till", "visibility": "invited"}
    alice.post(place("details", api.pk), details)
    api.refresh_from_db()
    assert (api.summary, api.tags, api.visibility) == ("All of them", ["shop", "till"], "invited")
    charlie = make_user("charlie")
    kiosk = make_organization(charlie, name="Kiosk")
    assert signed_in(charlie).get("/apis/orders/").status_code == 404
    assert "Invitations count only" not in text_of(alice, guests)
    alice.post(guests, {"organization": kiosk.pk})
    assert signed_in(charlie).get("/apis/orders/").status_code == 200
    again = alice.post(guests, {"organization": kiosk.pk}).content.decode()
    assert "is invited to Orders already" in again
    assert "one of them" in alice.post(guests, {}).content.decode()
    alice.post(place("withdraw", api.pk, api.invitations.get().pk))
    assert signed_in(charlie).get("/apis/orders/").status_code == 404


def test_texts_of_an_api_wait_as_a_draft_and_who_sees_it_does_not(api: Api) -> None:
    alice, details = alice_of(api), place("details", api.pk)
    words = {"name": "Orders", "visibility": "public", "summary": "Soon", "tags": "new"}
    alice.post(details, words | {"draft": "1"})
    assert "Soon" not in text_of(signed_in(None), "/apis/orders/")
    assert 'value="Soon"' in text_of(alice, details)
    refused = alice.post(details, words | {"visibility": "private", "draft": "1"}).content.decode()
    assert "cannot wait in a draft" in refused
    alice.post(details, words)
    assert "Soon" in text_of(signed_in(None), "/apis/orders/")


def test_a_limited_member_writes_about_her_api(api: Api) -> None:
    lena = make_member(api.organization, make_user("lena"), "limited")
    set_grants(member=lena, grants={api: Given(manage=True)}, actor=None)
    browser = signed_in(lena.user)
    browser.post(place("page-new", api.pk), {"title": "Mine", "position": "0"})
    assert api.pages.get().title == "Mine"
    browser.get(reverse("preview-start", args=["api", api.pk]))
    assert "Mine" in text_of(browser, "/apis/orders/")
    assert place("people", api.pk) not in text_of(browser, place("pages", api.pk))
    set_grants(member=lena, grants={api: Given()}, actor=None)
    assert browser.post(place("page-new", api.pk), {"title": "Other", "position": "0"}).status_code == 403


def test_staff_give_the_website_its_look() -> None:
    staff, page = signed_in(make_staff("sam")), reverse("website")
    look = {"name": "Payments", "accent_light": "#7a1fa2", "links": "Status | https://status.example.com"}
    picture = SimpleUploadedFile("logo.png", PIXEL, content_type="image/png")
    assert staff.post(page, look | {"logo_file": picture})["Location"] == page
    row = Branding.objects.get()
    assert (row.name, bytes(row.logo or b"")) == ("Payments", PIXEL)
    assert row.footer_links == [{"label": "Status", "url": "https://status.example.com"}]
    pale = staff.post(page, look | {"accent_light": "#eeeeee", "name": "Typed"}).content.decode()
    assert "contrast" in pale
    assert 'value="Typed"' in pale
    wrong = staff.post(page, look | {"links": "Nowhere"}).content.decode()
    assert "a link needs a label" in wrong
    staff.post(page, look | {"name": "Later", "draft": "1"})
    assert Branding.objects.get().name == "Payments"
    assert 'value="Later"' in text_of(staff, page)
    other = SimpleUploadedFile("logo.png", PIXEL + b"1", content_type="image/png")
    assert "cannot wait" in staff.post(page, look | {"logo_file": other, "draft": "1"}).content.decode()
    staff.post(page, look | {"name": "Later", "remove_logo": "on"})
    assert (Branding.objects.get().name, Branding.objects.get().logo) == ("Later", None)


def test_staff_write_pages_of_the_website() -> None:
    staff = signed_in(make_staff("sam"))
    words = {"title": "Terms", "text": "Be kind.", "position": "1", "in_footer": "on"}
    assert staff.post(reverse("website-page-new"), words)["Location"] == reverse("website-pages")
    terms = SitePage.objects.get()
    assert signed_in(None).get("/pages/terms/").status_code == 404
    edit = reverse("website-page", args=[terms.pk])
    staff.post(edit, words | {"slug": "terms", "published": "on"})
    assert "Be kind." in text_of(signed_in(None), "/pages/terms/")
    assert "Terms" in text_of(signed_in(None), "/")
    staff.post(reverse("website-page-delete", args=[terms.pk]))
    assert not SitePage.objects.exists()
