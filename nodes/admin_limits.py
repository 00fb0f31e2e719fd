"""The admin console of limits over everything, and of the quotas that nodes spend."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from accounts.read_only_admin import ReadOnly
from accounts.verb_admin import VerbAdmin, person
from apis.admin.pages import change_url, form_page
from nodes.installation import change_installation
from nodes.models import Installation, Lease, QuotaWindow
from nodes.queries import limit_of
from nodes.remaining import MOST, set_remaining


@admin.register(Installation)
class InstallationAdmin(VerbAdmin):
    """One row: the throttle over all APIs and nodes together."""

    list_display = ("__str__", "throttle_rate", "throttle_burst")
    fields = (("throttle_rate", "throttle_burst"),)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Go straight to the form: there is one row at most."""
        row = Installation.objects.first()
        if row is not None:
            return redirect(change_url(row))
        if self.has_add_permission(request):
            return redirect("admin:nodes_installation_add")
        return super().changelist_view(request, extra_context)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        row = Installation.objects.first()
        if row is not None:
            return redirect(change_url(row))
        return super().add_view(request, form_url, extra_context)

    def create(self, request: HttpRequest, data: dict[str, Any]) -> Installation:
        return change_installation(**data, actor=person(request))

    def change(self, request: HttpRequest, row: Installation, data: dict[str, Any]) -> None:
        kept = {"throttle_rate": row.throttle_rate, "throttle_burst": row.throttle_burst}
        change_installation(**(kept | data), actor=person(request))


class RemainingForm(forms.Form):
    """How many calls are let in until the period ends."""

    remaining = forms.IntegerField(
        min_value=0,
        max_value=MOST,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Calls that are let in from now on, over all nodes, until the period ends.",
    )


@admin.register(QuotaWindow)
class QuotaWindowAdmin(ReadOnly):
    """What was given out; how much is left may be set by hand while the period runs."""

    list_display = (
        "subscription_id",
        "key",
        "organization",
        "period",
        "starts_at",
        "ends_at",
        "leased",
        "left",
    )
    list_filter = ("period",)
    list_select_related = ("organization", "key", "subscription__plan", "subscription__organization")
    search_fields = ("subscription__id", "organization__name", "key__prefix")
    ordering = ("-starts_at", "pk")
    actions_detail = ("set_remaining_page",)

    @display(description="Not given out")
    def left(self, window: QuotaWindow) -> str:
        if window.subscription.plan.quota_limit is None:
            return "no quota"
        return f"{max(0, limit_of(window.subscription, window) - window.leased):,}"

    def has_adjust_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether she may change windows, which nobody edits otherwise."""
        return request.user.has_perm("nodes.change_quotawindow")

    @action(
        description="Set the remaining calls", url_path="set-remaining", permissions=["adjust"], icon="tune"
    )
    def set_remaining_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        window = get_object_or_404(QuotaWindow.objects.select_related("subscription", "key"), pk=object_id)

        def verb(data: dict[str, Any]) -> str:
            remaining = data["remaining"]
            set_remaining(
                subscription=window.subscription, key=window.key, remaining=remaining, actor=person(request)
            )
            return f"From now on {remaining:,} more calls are let in."

        return form_page(
            request,
            row=window,
            form=RemainingForm(request.POST or None),
            title="Set the remaining calls",
            intro="This holds for the period that runs now. What nodes hold unspent becomes void.",
            submit="Set",
            verb=verb,
        )


@admin.register(Lease)
class LeaseAdmin(ReadOnly):
    list_display = ("node", "window", "units", "epoch", "updated_at")
    list_filter = ("node",)
    list_select_related = ("node", "window")
    search_fields = ("window__subscription__id",)
    ordering = ("-updated_at", "pk")
