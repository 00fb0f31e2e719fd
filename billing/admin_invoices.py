"""Invoices in the admin console: to read, to mark as paid, to void. Every write goes through a verb."""

import json
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.timezone import now
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from accounts.read_only_admin import ReadOnly
from accounts.telling import refusal_as_message
from accounts.verb_admin import person
from billing import invoices
from billing.admin_documents import Documents, TaxInline
from billing.admin_forms import CloseForm
from billing.admin_pages import given, go
from billing.admin_payments import MoneyInForm
from billing.currencies import round_money
from billing.models import Invoice, InvoiceLine, InvoiceState
from billing.month_end import last_month
from billing.payments.pay import record_payment
from billing.periods import month_of
from billing.pricing import plain
from billing.runs import start_run
from billing.tasks import call_workers

STATE_COLOURS = {
    InvoiceState.DRAFT: "info",
    InvoiceState.FINALIZED: "warning",
    InvoiceState.PAID: "success",
    InvoiceState.VOID: "danger",
}


class LateFilter(admin.SimpleListFilter):
    """Invoices that owe something after their due date."""

    title, parameter_name = "payment", "payment"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open"), ("late", "Overdue")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> QuerySet[Invoice]:
        if self.value() is None:
            return queryset
        found = queryset.filter(state=InvoiceState.FINALIZED, amount_due__gt=0)
        return found.filter(due_at__lt=now()) if self.value() == "late" else found


class LineInline(TabularInline):
    """An invoice's lines, to read."""

    model = InvoiceLine
    fields = readonly_fields = ("description", "units", "price", "fee", "money")
    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Quantity")
    def units(self, line: InvoiceLine) -> str:
        return plain(line.quantity)

    @display(description="Unit price")
    def price(self, line: InvoiceLine) -> str:
        return plain(line.unit_price)

    @display(description="Flat fee")
    def fee(self, line: InvoiceLine) -> str:
        return plain(line.flat_fee)

    @display(description="Amount")
    def money(self, line: InvoiceLine) -> str:
        return str(round_money(line.amount, line.invoice.currency))


@admin.register(Invoice)
class InvoiceAdmin(Documents, ReadOnly):
    """Invoices: to read, to mark as paid, to void. They are made by closing a month."""

    list_display = ("label", "organization", "customer", "period", "money", "due", "status", "due_at")
    list_filter = ("state", LateFilter, "currency", "organization", "period_end")
    search_fields = ("id", "customer__name", "organization__name")
    search_help_text = "Number, customer or provider."
    list_select_related = ("organization", "customer")
    date_hierarchy = "period_end"
    inlines = (LineInline, TaxInline)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("label", "state"),
                    ("organization", "customer"),
                    ("period_start", "period_end"),
                    ("money", "due", "due_at"),
                    ("finalized_at", "paid_at", "voided_at"),
                )
            },
        ),
        ("Frozen copy: what it was made of", {"fields": ("made_of",), "classes": ("collapse",)}),
    )
    readonly_fields = ("label", "money", "due", "made_of")
    actions = ("mark_as_paid", "make_void")
    actions_list = ("close_month",)
    actions_detail = ("pay_this", "credit_this", "void_this", "get_pdf", "get_csv", "get_focus")

    def has_bill_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether she may pay, void and close: the model permission that editing would need."""
        return request.user.has_perm("billing.change_invoice")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Invoice], search_term: str
    ) -> tuple[QuerySet[Invoice], bool]:
        number = search_term.strip().rpartition("-")[2]
        if number.isdecimal() and len(number) <= 9:
            return queryset.filter(number=int(number)), False
        return super().get_search_results(request, queryset, search_term)

    @display(description="Invoice", ordering="number")
    def label(self, obj: Invoice) -> str:
        return obj.label

    @display(description="Month", ordering="month_start")
    def period(self, obj: Invoice) -> str:
        return month_of(obj.month_start, obj.organization.timezone).label

    @display(description="Total", ordering="total")
    def money(self, obj: Invoice) -> str:
        return f"{round_money(obj.total, obj.currency):,} {obj.currency}"

    @display(description="Due", ordering="amount_due")
    def due(self, obj: Invoice) -> str:
        return f"{round_money(obj.amount_due, obj.currency):,}"

    @display(description="Frozen")
    def made_of(self, obj: Invoice) -> str:
        return json.dumps(obj.frozen, ensure_ascii=False)

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def status(self, obj: Invoice) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @admin.action(description="Mark as paid", permissions=["bill"])
    def mark_as_paid(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        self._each(request, queryset, invoices.mark_paid, "paid")

    @admin.action(description="Void", permissions=["bill"])
    def make_void(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> None:
        self._each(request, queryset, invoices.void, "void")

    def _each(self, request: HttpRequest, queryset: QuerySet[Invoice], verb: Any, word: str) -> None:
        done = 0
        for invoice in queryset:
            with refusal_as_message(request):
                verb(invoice=invoice, actor=person(request))
                done += 1
        if done:
            messages.success(request, f"{done} invoice{'' if done == 1 else 's'} now {word}.")

    @action(
        description="Mark as paid",
        icon="paid",
        permissions=["bill"],
        dialog={
            "title": "Note a payment",
            "description": "Money that came in for this invoice: all that is due, or a part.",
            "form_class": MoneyInForm,
            "form_submit_text": "Note it",
        },
    )
    def pay_this(self, request: HttpRequest, form: MoneyInForm, object_id: str) -> HttpResponse:
        invoice = Invoice.objects.get(pk=object_id)
        with refusal_as_message(request):
            payment = record_payment(invoice=invoice, actor=person(request), **given(form))
            messages.success(request, f"{round_money(payment.amount, payment.currency):,} noted.")
        return go(request, reverse("admin:billing_invoice_change", args=[object_id]))

    @action(
        description="Void",
        icon="block",
        permissions=["bill"],
        dialog={
            "title": "Void this invoice",
            "description": "Nothing is owed any more. It keeps its number; its month can be billed again.",
            "form_class": BaseDialogForm,
            "form_submit_text": "Void",
        },
    )
    def void_this(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._this(request, object_id, invoices.void, "void")

    def _this(self, request: HttpRequest, object_id: str, verb: Any, word: str) -> HttpResponse:
        self._each(request, Invoice.objects.filter(pk=object_id), verb, word)
        return go(request, reverse("admin:billing_invoice_change", args=[object_id]))

    @action(
        description="Close a month",
        icon="receipt_long",
        permissions=["bill"],
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": "Close a month",
            "description": "Bill a provider's customers for what was used, less what was billed before.",
            "form_class": CloseForm,
            "form_submit_text": "Make invoices",
        },
    )
    def close_month(self, request: HttpRequest, form: CloseForm) -> HttpResponse:
        provider, at = form.cleaned_data["provider"], now()
        running = form.cleaned_data["month"] == "running"
        period = month_of(at, provider.timezone) if running else last_month(provider, at)
        run = start_run(provider=provider, period=period, at=at, corrections=True, actor=person(request))
        transaction.on_commit(partial(call_workers, run))
        if (run.month_start, run.until) != (period.start, at):
            messages.warning(
                request, f"{run.period.label} is being closed already. Try again when it is done."
            )
        return go(request, reverse("admin:billing_billingrun_change", args=[run.pk]))
