"""Pages over the data of the demo at scale: each opens, and none asks the database more than twenty times."""

from pathlib import Path

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from accounts.models import User
from apis.models import ApiVersion
from billing.models import Invoice
from nodes.models import Installation
from portal.demo.people import ADMIN, Secrets
from portal.demo.scale.generate import Made, generate
from tests.portal.factories import signed_in

MOST = 20
OWN = (
    *("home", "console", "applications", "usage", "costs", "invoices", "payments", "budgets", "webhooks"),
    *("organization", "billing-group", "billing-profile", "tokens", "audit", "requests"),
)
SALES = ("provider", "provider-money", "provider-requests", "audit", "organization", "admin:index")


@pytest.mark.django_db
def test_no_full_page_asks_more_than_twenty_times(tmp_path: Path) -> None:
    # 40 days: a month among them is billed at whatever hour this runs
    made = generate(kept=Secrets(tmp_path / "demo.json"), subscriptions=50, days=40, seed=1, at=now())
    asked = {name: _asked(browser, page) for name, browser, page in pages(made)}
    assert len(asked) > 60
    assert {name: count for name, count in asked.items() if count > MOST} == {}


def pages(made: Made) -> list[tuple[str, Client, str]]:
    """Each page with who opens it: the largest customer's owner, or the provider's, who is staff."""
    largest = made.developer.memberships.get().organization
    invoice = Invoice.objects.filter(organization=made.provider).latest("created_at")
    version = ApiVersion.objects.filter(organization=made.provider).latest("created_at")
    theirs = _browser(made.developer, largest.pk)
    ours = _browser(User.objects.get(email=ADMIN), made.provider.pk)
    one = {
        "api": [version.api.slug],
        "reference": [version.api.slug, version.name],
        "application": [largest.applications.latest("created_at").pk],
        "subscription-plan": [largest.subscriptions.latest("started_at").pk],
    }
    pages = [(name, theirs, reverse(name)) for name in OWN]
    pages += [(name, theirs, reverse(name, args=places)) for name, places in one.items()]
    pages += [(f"{name} (provider)", ours, reverse(name)) for name in SALES]
    pages.append(("provider-invoice", ours, reverse("provider-invoice", args=[invoice.pk])))
    for model in admin.site._registry.keys() - {Installation}:  # one row, which has no list
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        pages.append((name, ours, reverse(name)))
    return pages


def _browser(user: User, organization_id: str) -> Client:
    browser = signed_in(user)
    browser.post(reverse("organization-switch"), {"organization": organization_id})
    return browser


def _asked(browser: Client, page: str) -> int:
    browser.get(page)  # content types are looked up once
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(page).status_code in (200, 302), page  # what there is one of leads to it
    return len(queries)
