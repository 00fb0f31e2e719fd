"""The installation's look and its own pages."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.branding.change import change_branding
from accounts.branding.colours import check_accent, contrast
from accounts.branding.models import Branding, SitePage
from accounts.branding.pages import change_site_page, create_site_page, delete_site_page
from accounts.branding.shown import shown_branding
from accounts.errors import Refused
from tests.factories import audit_actions, make_staff

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
STATUS = {"label": "Status", "url": "https://status.example.com"}


def test_contrast_is_counted_as_wcag_does():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


@pytest.mark.parametrize(
    ("colour", "dark", "fine"),
    [
        ("#2A55C9", False, True),
        ("#93b2ff", True, True),
        ("#93b2ff", False, False),
        ("#2a55c9", True, False),
        ("#777777", False, False),
        ("blue", False, False),
        ("#fff;}", True, False),
        ("", False, True),
    ],
)
def test_accents_must_be_readable(colour, dark, fine):
    if fine:
        assert check_accent(colour, dark=dark) == colour.lower()
        return
    with pytest.raises(Refused) as refused:
        check_accent(colour, dark=dark)
    assert refused.value.field == ("accent_dark" if dark else "accent_light")


def test_pages_show_name_logo_colours_and_links(client, django_assert_num_queries):
    assert "Gatehouse" in client.get("/").content.decode()
    change_branding(
        name="  Acme   APIs ", logo=SVG, accent_light="#8a1f5c", footer_links=[STATUS], actor=None
    )
    create_site_page(title="Terms", text="**Be kind**<script>alert(1)</script>", actor=None)
    body = client.get("/").content.decode()
    assert "Acme APIs" in body
    assert 'href="https://status.example.com"' in body
    assert 'href="/pages/terms/"' in body
    assert "/brand/logo?v=" in body
    assert "/brand.css?v=" in body
    styles = client.get("/brand.css")
    assert styles["Content-Type"].startswith("text/css")
    assert "--accent-fill: #8a1f5c;" in styles.content.decode()
    assert "light-dark(#8a1f5c, #93b2ff)" in styles.content.decode()
    terms = client.get("/pages/terms/").content.decode()
    assert "<strong>Be kind</strong>" in terms
    assert "alert(1)" not in terms
    with django_assert_num_queries(0):
        assert shown_branding().name == "Acme APIs"
    assert audit_actions() == ["branding.changed", "page.created"]


def test_a_logo_runs_no_script(client):
    change_branding(logo=SVG, actor=None)
    response = client.get("/brand/logo")
    assert (response["Content-Type"], response.content) == ("image/svg+xml", SVG)
    assert response["Content-Security-Policy"].startswith("default-src 'none'")
    assert response["X-Content-Type-Options"] == "nosniff"
    change_branding(logo=PNG, actor=None)
    assert client.get("/brand/logo")["Content-Type"] == "image/png"
    change_branding(logo=b"", actor=None)
    assert client.get("/brand/logo").status_code == 404
    assert not shown_branding().has_logo


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"logo": b"<html><svg>"}, "logo"),
        ({"logo": PNG + b"0" * 200_000}, "logo"),
        ({"name": "x" * 61}, "name"),
        ({"footer_links": [{"label": "Bad", "url": "javascript:alert(1)"}]}, "footer_links"),
        ({"footer_links": [{"label": "Bad", "url": "//evil.example.com"}]}, "footer_links"),
        ({"footer_links": [{"label": "", "url": "/x"}]}, "footer_links"),
        ({"footer_links": [STATUS] * 13}, "footer_links"),
    ],
)
def test_what_cannot_be_shown_is_refused(given, field):
    with pytest.raises(Refused) as refused:
        change_branding(actor=None, **given)
    assert refused.value.field == field


def test_a_page_that_is_not_published_is_a_preview_for_staff(client):
    page = create_site_page(title="Imprint", published=False, actor=None)
    assert client.get("/pages/imprint/").status_code == 404
    client.force_login(make_staff("sam"))
    assert "only staff see this page" in client.get("/pages/imprint/").content.decode()
    assert "/pages/imprint/" not in client.get("/").content.decode()
    change_site_page(page=page, published=True, position=3, actor=None)
    assert shown_branding().pages == (("Imprint", "imprint"),)
    with pytest.raises(Refused) as refused:
        create_site_page(title="Imprint", actor=None)
    assert refused.value.field == "slug"
    delete_site_page(page=page, actor=None)
    assert not shown_branding().pages
    assert audit_actions() == ["page.created", "page.changed", "page.deleted"]


def test_staff_set_it_all_in_the_admin_console(client):
    client.force_login(make_staff("sam"))
    form = reverse("admin:accounts_branding_add")
    assert client.get(reverse("admin:accounts_branding_changelist"), follow=True).status_code == 200
    given = {
        "name": "Acme",
        "accent_light": "#8a1f5c",
        "accent_dark": "",
        "links": "Status | https://status.example.com\n\n",
        "logo_file": SimpleUploadedFile("logo.png", PNG),
    }
    assert client.post(form, given).status_code == 302
    row = Branding.objects.get()
    assert (row.name, bytes(row.logo), row.footer_links) == ("Acme", PNG, [STATUS])
    change = reverse("admin:accounts_branding_change", args=[row.pk])
    refused = client.post(change, given | {"accent_dark": "#111111", "logo_file": ""}).content.decode()
    assert "take a lighter colour" in refused
    page = {"title": "Terms", "slug": "", "text": "Hi", "position": 0, "published": "on"}
    assert client.post(reverse("admin:accounts_sitepage_add"), page).status_code == 302
    assert SitePage.objects.get().slug == "terms"
