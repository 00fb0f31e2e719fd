"""The admin console's sidebar and landing page (django-unfold calls these; see portal/settings/admin.py)."""

import json
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.module_loading import import_string
from django.utils.timezone import now

from access.models import ApiKey, Application, KeyState, Subscription, SubscriptionState
from accounts.models import Organization, User
from apis.models import Api, ApiVersion, Stage, VersionState
from billing.models import Invoice
from metering.queries import Scope, Span, seconds_behind, series, summary
from nodes.entries import newest_generation
from nodes.models import Node
from nodes.queries import SEEN_WITHIN
from portal import provider_scope
from portal.formats import milliseconds, size

# Sidebar: group -> (model's label, icon of Material Symbols). What else a room registers is listed last.
GROUPS: dict[str, tuple[tuple[str, str], ...]] = {
    "People": (
        ("accounts.organization", "domain"),
        ("accounts.user", "person"),
        ("accounts.member", "badge"),
        ("accounts.apitoken", "token"),
        ("accounts.webhookendpoint", "webhook"),
        ("accounts.webhookdelivery", "outgoing_mail"),
        ("accounts.auditevent", "history"),
        ("accounts.branding", "palette"),
        ("accounts.sitepage", "article"),
    ),
    "APIs": (
        ("apis.api", "api"),
        ("apis.apipage", "article"),
        ("apis.apiinvitation", "mail"),
        ("apis.apigrant", "visibility"),
        ("apis.apiversion", "description"),
        ("apis.operation", "route"),
        ("apis.deployment", "rocket_launch"),
        ("apis.stage", "flag"),
        ("apis.basepathmapping", "signpost"),
        ("apis.domainname", "lock"),
        ("apis.backend", "dns"),
    ),
    "Access": (
        ("access.usageplan", "speed"),
        ("access.application", "apps"),
        ("access.subscription", "assignment_turned_in"),
        ("access.apikey", "key"),
        ("access.customersuspension", "block"),
        ("access.announcement", "campaign"),
    ),
    "Usage": (
        ("metering.custommeter", "tune"),
        ("metering.billablerule", "rule"),
        ("metering.usagebatch", "inventory_2"),
        ("metering.usagereconciliation", "fact_check"),
        ("metering.usagegap", "running_with_errors"),
        ("metering.usageminute", "timer"),
        ("metering.usagehour", "schedule"),
        ("metering.usageday", "calendar_month"),
    ),
    "Billing": (
        ("billing.ratecard", "sell"),
        ("billing.planprice", "price_change"),
        ("billing.invoice", "receipt_long"),
        ("billing.billingrun", "event_repeat"),
        ("billing.creditnote", "undo"),
        ("billing.taxrate", "percent"),
        ("billing.billingprofile", "contact_mail"),
        ("billing.payment", "payments"),
        ("billing.creditgrant", "redeem"),
        ("billing.customerterms", "handshake"),
        ("billing.dunningnotice", "mark_email_unread"),
        ("billing.dunninghold", "pause_circle"),
        ("billing.ledgertransaction", "balance"),
        ("billing.budget", "savings"),
    ),
    "Gateway": (
        ("nodes.node", "hub"),
        ("nodes.installation", "speed"),
        ("nodes.entry", "data_object"),
        ("nodes.quotawindow", "hourglass"),
        ("nodes.lease", "pie_chart"),
    ),
}
BADGES = {"access.subscription": "portal.admin_dashboard.pending_badge"}
ROWS = 6


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar: every registered model that she may see, by room."""
    pages = [{"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}]
    pages.append({"title": "Dashboards", "icon": "monitoring", "link": reverse("provider")})
    groups: list[dict[str, Any]] = [{"title": None, "separator": False, "items": pages}]
    seen = _visible(request)
    for title, models in GROUPS.items():
        items = [_item(request, seen.pop(label), label, icon) for label, icon in models if label in seen]
        if items:
            groups.append({"title": title, "separator": True, "items": items})
    if seen:
        rest = [_item(request, model, label, "table_rows") for label, model in seen.items()]
        groups.append({"title": "More", "separator": True, "collapsible": True, "items": rest})
    return groups


def pending_badge(request: HttpRequest) -> str | None:
    """Return how many subscriptions wait for approval; None = no badge."""
    waiting = Subscription.objects.filter(state=SubscriptionState.PENDING).count()
    return str(waiting) if waiting else None


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add what the landing page shows; each part only to those who may see its model. About 16 queries."""

    def may(model: type[Model]) -> bool:
        return request.user.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}")

    context["title"] = "Overview"
    context["counts"] = [_count(*each) for each in _counted() if may(each[1].model)]
    if provider_scope.sees_all(request):
        context["traffic"] = _traffic()
    if may(Subscription):
        context["waiting"] = _waiting()
    if may(Node):
        context["nodes"] = _nodes()
    if may(Invoice):
        context["invoices"] = Invoice.objects.select_related("organization", "customer").order_by(
            "-finalized_at", "-created_at"
        )[:ROWS]
    context["providers"] = provider_scope.choices(request)
    return context


def _visible(request: HttpRequest) -> dict[str, type[Model]]:
    return {
        model._meta.label_lower: model
        for model, model_admin in admin.site._registry.items()
        if model is not Group and model_admin.has_view_permission(request)
    }


def _item(request: HttpRequest, model: type[Model], label: str, icon: str) -> dict[str, Any]:
    item = {"title": str(model._meta.verbose_name_plural), "icon": icon, "link": _listing(model)}
    item["title"] = item["title"][0].upper() + item["title"][1:]
    # unfold draws a badge for every item that names one, also when there is nothing to say
    if label in BADGES and import_string(BADGES[label])(request):
        item["badge"] = BADGES[label]
    return item


def _listing(model: type[Model]) -> str:
    if not admin.site.is_registered(model):
        return ""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def _counted() -> list[tuple[str, QuerySet[Any], str]]:
    """What is counted: title, rows, icon."""
    return [
        ("Organizations", Organization.objects.all(), "domain"),
        ("People", User.objects.filter(is_active=True), "person"),
        ("APIs", Api.objects.all(), "api"),
        ("Published versions", ApiVersion.objects.filter(state=VersionState.PUBLISHED), "description"),
        ("Deployed stages", Stage.objects.filter(deployment__isnull=False), "flag"),
        ("Applications", Application.objects.all(), "apps"),
        ("Active subscriptions", Subscription.objects.filter(state=SubscriptionState.ACTIVE), "speed"),
        ("Active keys", ApiKey.objects.filter(state=KeyState.ACTIVE), "key"),
    ]


def _count(title: str, rows: QuerySet[Any], icon: str) -> dict[str, Any]:
    return {"title": title, "value": rows.count(), "icon": icon, "link": _listing(rows.model)}


def _traffic() -> dict[str, Any]:
    """The last 24 hours over all providers, and a chart of them by hour."""
    end = now()
    span = Span(end - timedelta(hours=24), end)
    everyone = Scope(everyone=True)
    buckets = series(scope=everyone, span=span, step="hour")
    failed = [bucket.errors_4xx + bucket.errors_5xx for bucket in buckets]
    chart = {
        "labels": [f"{bucket.at:%H:%M}" for bucket in buckets],
        "datasets": [
            {
                "label": "Answered well",
                "data": [max(b.calls - bad, 0) for b, bad in zip(buckets, failed, strict=True)],
                "backgroundColor": "var(--color-primary-600)",
                "stack": "calls",
            },
            {"label": "4xx and 5xx", "data": failed, "backgroundColor": "#d9822b", "stack": "calls"},
        ],
    }
    total = summary(scope=everyone, span=span)
    return {
        "total": total,
        "p99": milliseconds(total.p99),
        "data_out": size(total.bytes_out),
        "chart": json.dumps(chart),
        "behind": seconds_behind(),
    }


def _waiting() -> dict[str, Any]:
    found = Subscription.objects.filter(state=SubscriptionState.PENDING).select_related(
        "organization", "provider", "application", "plan"
    )
    link = _listing(Subscription)
    return {
        "rows": list(found.order_by("started_at")[:ROWS]),
        "link": link and f"{link}?state__exact=pending",
    }


def _nodes() -> dict[str, Any]:
    """The nodes, with whether each was seen lately and how many generations it is behind."""
    newest, limit = newest_generation(), now() - SEEN_WITHIN
    rows = [
        {
            "node": node,
            "up": bool(node.enabled and node.last_seen_at and node.last_seen_at >= limit),
            "behind": max(newest - node.generation, 0),
        }
        for node in Node.objects.order_by("name")
    ]
    return {
        "rows": rows[: ROWS * 2],
        "up": sum(1 for row in rows if row["up"]),
        "all": len(rows),
        "link": _listing(Node),
    }
