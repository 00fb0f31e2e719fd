"""Payments, credits, terms and late payment in the admin console. Every write goes through a verb."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminDateWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import Organization
from accounts.read_only_admin import ReadOnly
from accounts.telling import refusal_as_message
from accounts.verb_admin import VerbAdmin, person
from billing import profiles
from billing.admin_pages import given, go
from billing.currencies import DEFAULT_CURRENCY, round_money
from billing.ledger.grants import grant, revoke
from billing.models import (
    CreditGrant,
    CustomerTerms,
    DunningHold,
    DunningNotice,
    LedgerTransaction,
    Payment,
    PaymentState,
)
from billing.payments.refunds import refund

STATE_COLOURS = {
    PaymentState.PENDING: "warning",
    PaymentState.SUCCEEDED: "success",
    PaymentState.FAILED: "danger",
}


def _money(amount: Decimal, currency: str) -> str:
    return f"{round_money(amount, currency):,} {currency}"


class MoneyInForm(BaseDialogForm):
    """Money that came in for an invoice."""

    amount = forms.DecimalField(
        required=False,
        max_digits=24,
        decimal_places=12,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Empty = all that is due. What is more becomes credits.",
    )
    reference = forms.CharField(
        required=False,
        max_length=120,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as the bank's own; noted once for each invoice.",
    )
    received_on = forms.DateField(
        required=False, widget=UnfoldAdminDateWidget, help_text="Empty = today (UTC)."
    )


class RefundForm(BaseDialogForm):
    """How much to pay back, and why."""

    amount = forms.DecimalField(
        required=False,
        max_digits=24,
        decimal_places=12,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="Empty = all that is left of the payment.",
    )
    reason = forms.CharField(required=False, max_length=200, widget=UnfoldAdminTextInputWidget)


class GrantForm(BaseDialogForm):
    """Credits for a customer."""

    provider = forms.ModelChoiceField(Organization.objects.none(), widget=UnfoldAdminSelectWidget)
    customer = forms.ModelChoiceField(Organization.objects.none(), widget=UnfoldAdminSelectWidget)
    amount = forms.DecimalField(max_digits=24, decimal_places=12, widget=UnfoldAdminDecimalFieldWidget)
    currency = forms.CharField(max_length=3, initial=DEFAULT_CURRENCY, widget=UnfoldAdminTextInputWidget)
    name = forms.CharField(max_length=120, initial="Credits", widget=UnfoldAdminTextInputWidget)
    priority = forms.IntegerField(
        initial=100,
        min_value=0,
        max_value=32_767,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="Lower numbers are used first.",
    )
    expires_at = forms.DateTimeField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as 2027-01-01 00:00, in UTC. Empty = never.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        organizations = Organization.objects.order_by("name")
        self.fields["provider"].queryset = organizations.filter(apis__isnull=False).distinct()
        self.fields["customer"].queryset = organizations


@admin.register(Payment)
class PaymentAdmin(ReadOnly):
    """Payments: to read, and to pay back."""

    list_display = ("id", "created_at", "organization", "customer", "what", "money", "processor", "status")
    list_filter = ("state", "processor", "currency", "organization")
    search_fields = ("id", "reference", "customer__name", "organization__name")
    search_help_text = "Id, reference, customer or provider."
    list_select_related = ("organization", "customer", "invoice")
    date_hierarchy = "created_at"
    actions_detail = ("refund_this",)

    def has_refund_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("billing.change_payment")

    @display(description="For")
    def what(self, obj: Payment) -> str:
        return f"Invoice {obj.invoice.label}" if obj.invoice else "Credits"

    @display(description="Amount", ordering="amount")
    def money(self, obj: Payment) -> str:
        text = _money(obj.amount, obj.currency)
        return f"{text}, {_money(obj.refunded_amount, obj.currency)} back" if obj.refunded_amount else text

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def status(self, obj: Payment) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @action(
        description="Pay back",
        icon="undo",
        permissions=["refund"],
        dialog={
            "title": "Pay back",
            "description": "By the way it came. The invoice stays paid; a credit note says why less is owed.",
            "form_class": RefundForm,
            "form_submit_text": "Pay back",
        },
    )
    def refund_this(self, request: HttpRequest, form: RefundForm, object_id: str) -> HttpResponse:
        payment = Payment.objects.get(pk=object_id)
        with refusal_as_message(request):
            done = refund(payment=payment, actor=person(request), **given(form))
            messages.success(
                request, f"{_money(done.amount, payment.currency)}: {done.get_state_display().lower()}."
            )
        return go(request, reverse("admin:billing_payment_change", args=[object_id]))


@admin.register(CreditGrant)
class CreditGrantAdmin(ReadOnly):
    """Credits: to give, and to take back."""

    list_display = (
        "name",
        "organization",
        "customer",
        "money",
        "left",
        "priority",
        "starts_at",
        "expires_at",
    )
    list_filter = ("source", "currency", "organization", "expires_at")
    search_fields = ("id", "name", "customer__name", "organization__name")
    list_select_related = ("organization", "customer")
    readonly_fields = ("left",)
    actions_list = ("give",)
    actions_detail = ("take_back",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditGrant]:
        return (
            super().get_queryset(request).annotate(left_amount=Coalesce(Sum("entries__amount"), Decimal(0)))
        )

    def has_give_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("billing.add_creditgrant")

    @display(description="Amount", ordering="amount")
    def money(self, obj: CreditGrant) -> str:
        return _money(obj.amount, obj.currency)

    @display(description="Left")
    def left(self, obj: Any) -> str:
        return _money(obj.left_amount, obj.currency)

    @action(
        description="Give credits",
        icon="redeem",
        permissions=["give"],
        variant=ActionVariant.PRIMARY,
        dialog={
            "title": "Give credits",
            "description": "Invoices of this provider use them before anything is due.",
            "form_class": GrantForm,
            "form_submit_text": "Give",
        },
    )
    def give(self, request: HttpRequest, form: GrantForm) -> HttpResponse:
        with refusal_as_message(request):
            made = grant(actor=person(request), **given(form))
            messages.success(request, f"{_money(made.amount, made.currency)} for {made.customer}.")
        return go(request, reverse("admin:billing_creditgrant_changelist"))

    @action(
        description="Take back",
        icon="block",
        permissions=["give"],
        dialog={
            "title": "Take back what is left",
            "description": "The customer cannot use it any more. Bought credits are paid back at their payment.",
            "form_class": BaseDialogForm,
            "form_submit_text": "Take back",
        },
    )
    def take_back(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        credit_grant = CreditGrant.objects.get(pk=object_id)
        with refusal_as_message(request):
            amount = revoke(credit_grant=credit_grant, actor=person(request))
            messages.success(request, f"{_money(amount, credit_grant.currency)} taken back.")
        return go(request, reverse("admin:billing_creditgrant_change", args=[object_id]))


@admin.register(LedgerTransaction)
class LedgerTransactionAdmin(ReadOnly):
    """Every movement of money and credits, to read."""

    list_display = ("at", "kind", "description", "organization", "customer", "entries_text", "invoice")
    list_filter = ("kind", "currency", "organization")
    search_fields = ("id", "reference", "customer__name")
    list_select_related = ("organization", "customer", "invoice__customer")
    date_hierarchy = "at"
    readonly_fields = ("entries_text",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("entries__account")

    @display(description="Entries")
    def entries_text(self, obj: LedgerTransaction) -> str:
        parts = (f"{each.account.kind} {each.amount.normalize():+f}" for each in obj.entries.all())
        return f"{', '.join(parts)} {obj.currency}"


@admin.register(CustomerTerms)
class CustomerTermsAdmin(VerbAdmin):
    """What a provider agreed with a customer about paying and taxes."""

    list_display = (
        "customer",
        "organization",
        "due_days",
        "credit_only",
        "dunning_exempt",
        "tax_treatment",
    )
    list_filter = ("credit_only", "dunning_exempt", "tax_treatment", "organization")
    search_fields = ("customer__name", "organization__name")
    list_select_related = ("organization", "customer")
    fields = (
        "organization",
        "customer",
        "due_days",
        "credit_only",
        "dunning_exempt",
        "tax_treatment",
        "tax_note",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: CustomerTerms | None = None) -> tuple[str, ...]:
        return ("organization", "customer") if obj else ()

    def create(self, request: HttpRequest, data: dict[str, Any]) -> CustomerTerms:
        provider, customer = data.pop("organization"), data.pop("customer")
        return profiles.set_customer_terms(
            provider=provider, customer=customer, actor=person(request), **data
        )

    def change(self, request: HttpRequest, row: CustomerTerms, data: dict[str, Any]) -> None:
        profiles.set_customer_terms(
            provider=row.organization, customer=row.customer, actor=person(request), **data
        )


@admin.register(DunningHold)
class DunningHoldAdmin(ReadOnly):
    """Subscriptions that are, or were, suspended for late payment."""

    list_display = ("subscription", "organization", "customer", "invoice", "suspended_at", "lifted_at")
    list_filter = (("lifted_at", admin.EmptyFieldListFilter), "organization")
    search_fields = ("customer__name", "organization__name")
    list_select_related = (
        "organization",
        "customer",
        "invoice__customer",
        "subscription__application",
        "subscription__plan",
    )


@admin.register(DunningNotice)
class DunningNoticeAdmin(ReadOnly):
    """What customers were told about late payment."""

    list_display = ("created_at", "step", "day", "organization", "customer", "invoice", "sent_at")
    list_filter = ("step", "organization")
    search_fields = ("customer__name", "organization__name")
    list_select_related = ("organization", "customer", "invoice__customer")
