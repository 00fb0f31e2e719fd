"""A page asks the database as often for three rows as for one, and never more than twenty times."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.teams.invitations import invite_member
from accounts.webhooks.endpoints import create_endpoint, send_test
from apis.pages import create_page
from billing.models import Budget
from tests.factories import (
    make_application,
    make_key,
    make_mapping,
    make_stage,
    make_subscription,
    make_user,
    make_version,
)
from tests.metering.factories import log_call
from tests.portal.factories import Shop, add_product, make_open_plan, make_session, make_shop, signed_in

pytestmark = pytest.mark.django_db
PAGES = (
    "home",
    "api",
    "api-page",
    "changelog",
    "product",
    "product-page",
    "product-reference",
    "reference",
    "reference-operation",
    "console",
    "applications",
    "application",
    "usage",
    "usage-key",
    "requests",
    "request",
    "costs",
    "invoices",
    "organization",
    "security",
    "tokens",
    "audit",
    "budgets",
    "webhooks",
    "webhook",
    "provider",
    "dashboard",
    "provider-requests",
    "provider-request",
    "alerts",
    "provider-products",
    "provider-product-operations",
    "provider-product-pages",
    "provider-product-people",
    "approvals",
    "customers",
    "customer",
    "customer-bills",
    "provider-audit",
    "announcements",
    "announcement",
    "rate-cards",
    "rate-card",
    "provider-money",
)


def asked(browser: Client, shop: Shop, name: str) -> int:
    page = reverse(name, args=shop.places.get(name, []))
    browser.get(page)  # the session and the content types are looked up once
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert browser.get(page).status_code == 200, name
    return len(queries)


def make_waiting(shop: Shop) -> None:
    """A customer whose subscription waits."""
    make_subscription(make_application(), shop.plan, state="pending")


def make_more(shop: Shop) -> None:
    """Two more of everything that the pages list."""
    for number in range(2):
        create_page(api=shop.api, title=f"Page {number}", actor=None)
        add_product(shop.api, number)
        plan = make_open_plan()
        mine = make_application(shop.organization)
        make_subscription(mine, plan)
        key, _ = make_key(shop.application)
        log_call(plan.stages.get(), subscription=shop.subscription.pk, key=key.pk)
        log_call(shop.plan.stages.get(), subscription=shop.subscription.pk, key=key.pk)
        make_waiting(shop)
        make_key(shop.application)
        make_mapping(make_stage(make_version(shop.api, name=f"more-{number}")))
        Budget.objects.create(
            organization=shop.organization,
            name=f"B{number}",
            currency="USD",
            amount=9,
            application=mine,
            stops=True,
        )
        endpoint = shop.organization.webhook_endpoints.first()
        create_endpoint(organization=shop.organization, url="https://example.com/", actor=None)
        send_test(endpoint=endpoint, actor=None)
        make_session(shop.alice)
        address = f"guest{number}@example.com"
        invite_member(organization=shop.organization, email=address, role="member", actor=make_user())


def test_pages_ask_as_often_for_three_rows_as_for_one() -> None:
    # one shop for all pages: making it takes longer than to open them
    shop = make_shop()
    make_waiting(shop)
    browser = signed_in(shop.alice)
    one = {name: asked(browser, shop, name) for name in PAGES}
    make_more(shop)
    three = {name: asked(browser, shop, name) for name in PAGES}
    assert {name: (one[name], more) for name, more in three.items() if more > one[name]} == {}
    assert {name: number for name, number in one.items() if number > 20} == {}
