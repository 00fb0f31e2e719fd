"""The admin console's landing page: what an operator wants to know first, and only what she may see."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils.timezone import now

from access.models import SubscriptionState
from billing.invoices import close_period
from billing.models import Invoice
from billing.periods import month_of
from nodes.models import Node
from portal.admin_dashboard import navigation
from tests.billing.factories import make_priced_plan, make_rate_card, use
from tests.factories import (
    make_api,
    make_application,
    make_organization,
    make_staff,
    make_subscription,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(make_staff("alice"))
    return client


def page(client) -> str:
    answer = client.get(reverse("admin:index"))
    assert answer.status_code == 200
    return answer.content.decode()


def busy_installation(rows: int = 1) -> None:
    provider = make_organization(name="Acme APIs")
    make_api(provider)
    plan = make_priced_plan(make_rate_card(provider, base_fee="12.5"), name="Pro")
    for number in range(rows):
        application = make_application(make_organization(name=f"Bob's {number}"), name=f"Weather {number}")
        subscription = make_subscription(application, plan)
        use(subscription, now() - timedelta(minutes=5), 1_234, 5_000_000)
        use(subscription, now() - timedelta(hours=30), 99_999, 1)
        make_subscription(make_application(name=f"Waiting {number}"), plan, state=SubscriptionState.PENDING)
        Node.objects.create(name=f"gateway-{number}", token_hash=str(number), last_seen_at=now())
    period = month_of(now(), "UTC")
    close_period(provider=provider, period=period, actor=None)


def test_a_fresh_installation_says_what_to_do_next(staff):
    text = page(staff)
    for words in ("No calls yet", "No gateway node has joined yet", "Nobody is waiting", "No invoices yet"):
        assert words in text


def test_it_shows_calls_nodes_approvals_and_invoices(staff):
    busy_installation()
    Node.objects.create(name="gateway-away", token_hash="away", last_seen_at=now() - timedelta(hours=1))
    text = page(staff)
    assert ">1,234<" in text  # the last 24 hours only
    assert "1 of 2 up" in text
    assert "Waiting 0" in text
    assert f"{Invoice.objects.get().rounded_total} USD" in text
    assert "Acme APIs: traffic" in text


def test_the_sidebar_leads_to_every_registered_model(staff, rf):
    from django.contrib import admin
    from django.contrib.auth.models import Group

    request = rf.get("/admin/")
    request.user = make_staff("root")
    links = {item["link"] for group in navigation(request) for item in group["items"]}
    for model in admin.site._registry:
        if model is not Group:
            assert reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") in links
    for link in links:
        assert staff.get(link, follow=True).status_code == 200 or link == reverse("provider")


@pytest.mark.parametrize("rows", [1, 3])
def test_the_number_of_queries_does_not_grow_with_rows(staff, rows, django_assert_max_num_queries):
    busy_installation(rows)
    page(staff)  # the first one writes down the browser's session, too
    with django_assert_max_num_queries(20):
        page(staff)


def test_staff_sees_only_what_her_permissions_allow(client):
    bob = make_user("bob", is_staff=True)
    bob.user_permissions.add(Permission.objects.get(codename="view_node"))
    client.force_login(bob)
    busy_installation()
    text = page(client)
    assert "Gateway nodes" in text
    for words in ("last 24 hours", "Newest invoices", "Waiting for approval", "Active keys", "Acme APIs"):
        assert words not in text


def test_charlie_is_sent_away(client):
    client.force_login(make_user("charlie"))
    assert client.get(reverse("admin:index")).status_code == 302
