"""Billing runs in the admin console: how far a closing is, and what became of older ones."""

from django.contrib import admin
from django.forms import Script
from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from accounts.read_only_admin import ReadOnly
from billing.models import BillingRun, RunState
from billing.progress import amounts_of, time_of, words_of

STATE_COLOURS = {RunState.RUNNING: "info", RunState.DONE: "success", RunState.FAILED: "danger"}


@admin.register(BillingRun)
class BillingRunAdmin(ReadOnly):
    """Closings of months. They begin by themselves, or under Invoices, "Close a month"."""

    list_display = ("period", "organization", "status", "bar", "invoices", "money", "started_at", "took")
    list_filter = ("state", ("organization", admin.RelatedOnlyFieldListFilter), "started_at")
    list_select_related = ("organization",)
    search_fields = ("id", "organization__name")
    date_hierarchy = "started_at"
    fields = (
        ("period", "organization"),
        ("started_at", "finished_at"),
        ("seen_at", "actor"),
        ("chunks", "chunks_done"),
        ("until", "corrections"),
    )
    readonly_fields = ("period", "money")
    change_form_before_template = "admin/billing/run.html"

    class Media:
        js = (Script("js/run.js", defer=True),)

    def get_urls(self) -> list[URLPattern]:
        """Add the address of the part of a run's page that refreshes itself."""
        view = self.admin_site.admin_view(self.progress)
        return [path("<str:pk>/progress/", view, name="billing_billingrun_progress"), *super().get_urls()]

    def progress(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Answer with the part of a run's page that refreshes itself."""
        run = self.get_queryset(request).filter(pk=pk).first()
        if run is None or not self.has_view_permission(request, run):
            raise Http404
        return HttpResponse(_progress(run), headers={"Cache-Control": "no-store"})

    def render_change_form(
        self, request: HttpRequest, context: dict, *args: object, **kwargs: object
    ) -> HttpResponse:
        """Put the progress into the page."""
        run = kwargs.get("obj")
        if isinstance(run, BillingRun):
            context |= {
                "progress": _progress(run),
                "progress_url": reverse("admin:billing_billingrun_progress", args=[run.pk]),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    @display(description="Month", ordering="month_start")
    def period(self, obj: BillingRun) -> str:
        return obj.period.label

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def status(self, obj: BillingRun) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description="Customers")
    def bar(self, obj: BillingRun) -> SafeString:
        return render_to_string("admin/billing/run_bar.html", {"run": obj})

    @display(description="Total")
    def money(self, obj: BillingRun) -> str:
        return amounts_of(obj)

    @display(description="Took")
    def took(self, obj: BillingRun) -> str:
        return time_of(obj.seconds)


def _progress(run: BillingRun) -> SafeString:
    failed = []
    if run.error:
        failed = [pk for part in run.parts.filter(state="failed") for pk in part.payers]
    return render_to_string(
        "admin/billing/run_progress.html",
        {
            "run": run,
            "words": words_of(run),
            "amounts": amounts_of(run),
            "running": run.state == RunState.RUNNING,
            "failed": failed,
            "invoices_url": _invoices_of(run),
        },
    )


def _invoices_of(run: BillingRun) -> str:
    return f"{reverse('admin:billing_invoice_changelist')}?organization__id__exact={run.organization_id}"
