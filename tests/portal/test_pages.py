"""What holds on every page: one heading, labelled fields, a policy for what a browser may load."""

from html.parser import HTMLParser
from typing import Any

import pytest
from django.urls import reverse

from apis.models import Visibility
from tests.factories import make_organization, make_user
from tests.portal.factories import make_shop, signed_in

pytestmark = pytest.mark.django_db
PAGES = (
    "home", "api", "subscribe", "console", "applications", "application-new", "application", "key-new",
    "usage", "costs", "invoices", "invoice", "payments", "payment", "billing-profile", "credit-note",
    "organization", "tokens", "audit", "provider", "provider-money", "provider-invoice", "provider-credit-note",
    "budgets", "budget-new", "budget", "webhooks", "webhook",
)  # fmt: skip


class Page(HTMLParser):
    """Counts headings and collects fields and what labels them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings = 0
        self.fields: list[dict[str, Any]] = []
        self.labelled: set[str] = set()
        self.inside_label = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.headings += tag == "h1"
        if tag == "label":
            self.inside_label += 1
            self.labelled.add(given.get("for") or "")
        if tag in ("input", "select", "textarea") and given.get("type") not in ("hidden", "submit"):
            self.fields.append(given | {"inside": self.inside_label})

    def handle_endtag(self, tag: str) -> None:
        self.inside_label -= tag == "label"

    def nameless(self) -> list[dict[str, Any]]:
        return [
            each
            for each in self.fields
            if not (each["inside"] or each.get("aria-label") or each.get("id") in self.labelled)
        ]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_heading_and_every_field_a_label(name: str) -> None:
    shop = make_shop()
    response = signed_in(shop.alice).get(reverse(name, args=shop.places.get(name, [])))
    page = Page(response.content.decode())
    assert page.headings == 1
    assert page.nameless() == []
    assert "default-src 'self'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["account_login", "account_signup", "account_reset_password"])
def test_the_pages_before_sign_in_too(name: str) -> None:
    page = Page(signed_in(None).get(reverse(name)).content.decode())
    assert page.headings == 1
    assert page.nameless() == []


def test_a_private_api_is_for_its_own_organization_only() -> None:
    shop = make_shop()
    shop.api.visibility = Visibility.PRIVATE
    shop.api.save()
    charlie = make_user("charlie")
    make_organization(charlie)
    for name in ("api", "reference", "openapi-document"):
        address = reverse(name, args=shop.places[name])
        assert signed_in(shop.alice).get(address).status_code == 200
        assert signed_in(charlie).get(address).status_code == 404
        assert signed_in(None).get(address).status_code == 404
    assert b"Orders" not in signed_in(charlie).get(reverse("home")).content


def test_a_description_may_format_but_not_script() -> None:
    shop = make_shop()
    shop.api.description = "**bold** <script>alert(1)</script> [x](javascript:alert(2))"
    shop.api.save()
    body = signed_in(None).get(reverse("api", args=["orders"])).content.decode()
    assert "<strong>bold</strong>" in body
    assert "alert(1)" not in body
    assert "javascript:" not in body


def test_search_finds_by_name_and_says_when_there_is_nothing() -> None:
    make_shop()
    assert b"Orders" in signed_in(None).get("/?q=orde").content
    nothing = signed_in(None).get("/?q=zzz").content
    assert b"/apis/orders/" not in nothing


def test_the_outbox_is_not_there_in_production(settings: Any) -> None:
    assert signed_in(None).get(reverse("outbox")).status_code == 200
    settings.GATEHOUSE_MODE = "production"
    assert signed_in(None).get(reverse("outbox")).status_code == 404
