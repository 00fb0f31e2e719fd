"""Documents in the admin console: downloads of invoices, crediting them, and credit notes to read."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextInputWidget

from accounts.read_only_admin import ReadOnly
from accounts.telling import refusal_as_message
from accounts.verb_admin import person
from billing.admin_pages import go
from billing.credit_notes import credit_invoice
from billing.currencies import round_money
from billing.documents.files import credit_note_file, invoice_file
from billing.models import CreditNote, CreditNoteLine, Invoice, InvoiceTax
from billing.queries import with_lines


class CreditForm(BaseDialogForm):
    """How much of an invoice is taken back, and why."""

    amount = forms.DecimalField(
        required=False,
        max_digits=24,
        decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Tax included; empty = all that is left.",
    )
    reason = forms.CharField(max_length=300, widget=UnfoldAdminTextInputWidget)


class Documents:
    """An invoice's page: files to download, and a dialog to credit it."""

    @action(description="PDF", icon="picture_as_pdf", permissions=["view"])
    def get_pdf(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return invoice_file(_invoice(object_id), "pdf").response()

    @action(description="CSV", icon="table", permissions=["view"])
    def get_csv(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return invoice_file(_invoice(object_id), "csv").response()

    @action(description="FOCUS", icon="table_chart", permissions=["view"])
    def get_focus(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        return invoice_file(_invoice(object_id), "focus").response()

    @action(
        description="Credit",
        icon="undo",
        permissions=["bill"],
        dialog={
            "title": "Credit this invoice",
            "description": "A credit note takes back a part or all of it. What was paid becomes credits.",
            "form_class": CreditForm,
            "form_submit_text": "Issue the credit note",
        },
    )
    def credit_this(self, request: HttpRequest, form: CreditForm, object_id: str) -> HttpResponse:
        with refusal_as_message(request):
            note = credit_invoice(
                invoice=_invoice(object_id),
                amount=form.cleaned_data["amount"],
                reason=form.cleaned_data["reason"],
                actor=person(request),
            )
            messages.success(
                request, f"{note.label} over {round_money(note.total, note.currency):,} is issued."
            )
        return go(request, reverse("admin:billing_invoice_change", args=[object_id]))


class _Rows(TabularInline):
    """Rows of a document, to read."""

    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class TaxInline(_Rows):
    """An invoice's taxes."""

    model = InvoiceTax
    fields = readonly_fields = ("name_and_rate", "base_money", "money", "note")
    verbose_name_plural = "taxes"

    @display(description="Tax")
    def name_and_rate(self, tax: InvoiceTax) -> str:
        return f"{tax.label}{' (contained in prices)' if tax.inclusive else ''}"

    @display(description="Of")
    def base_money(self, tax: InvoiceTax) -> str:
        return f"{round_money(tax.base, tax.invoice.currency):,}"

    @display(description="Amount")
    def money(self, tax: InvoiceTax) -> str:
        return f"{round_money(tax.amount, tax.invoice.currency):,}"


class CreditNoteLineInline(_Rows):
    """What was taken back."""

    model = CreditNoteLine
    fields = readonly_fields = ("description", "money")
    hide_title = True

    @display(description="Amount")
    def money(self, line: CreditNoteLine) -> str:
        return f"{round_money(line.amount, line.credit_note.currency):,}"


@admin.register(CreditNote)
class CreditNoteAdmin(ReadOnly):
    """Credit notes, to read. They are issued on an invoice's page."""

    list_display = ("label", "organization", "customer", "invoice", "money", "reason", "issued_at")
    list_filter = ("currency", "organization", "issued_at")
    search_fields = ("id", "reason", "customer__name", "organization__name")
    list_select_related = ("organization", "customer", "invoice__customer")
    inlines = (CreditNoteLineInline,)
    fields = (
        ("label", "invoice"),
        ("organization", "customer"),
        "reason",
        ("net", "tax", "money", "back"),
        ("issued_at", "issued_by"),
    )
    readonly_fields = ("label", "money", "net", "tax", "back")
    actions_detail = ("get_pdf",)

    @display(description="Credit note", ordering="number")
    def label(self, note: CreditNote) -> str:
        return note.label

    @display(description="Total", ordering="total")
    def money(self, note: CreditNote) -> str:
        return f"{round_money(note.total, note.currency):,} {note.currency}"

    @display(description="Subtotal")
    def net(self, note: CreditNote) -> str:
        return f"{round_money(note.subtotal, note.currency):,}"

    @display(description="Tax")
    def tax(self, note: CreditNote) -> str:
        return f"{round_money(note.tax_total, note.currency):,}"

    @display(description="Given back as credits")
    def back(self, note: CreditNote) -> str:
        return f"{round_money(note.refunded, note.currency):,}"

    @action(description="PDF", icon="picture_as_pdf", permissions=["view"])
    def get_pdf(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        notes = CreditNote.objects.select_related(
            "organization", "invoice__organization", "invoice__customer"
        )
        note = notes.filter(pk=object_id).first()
        if note is None:
            raise Http404("no such credit note")
        return credit_note_file(note).response()


def _invoice(pk: str) -> Invoice:
    invoices = with_lines(Invoice.objects.select_related("organization", "customer"))
    found = invoices.filter(pk=pk).first()
    if found is None:
        raise Http404("no such invoice")
    return found
