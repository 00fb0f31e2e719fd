"""Rate cards and priced plans in the admin console. Every write goes through a verb."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.admin import ModelAdmin, StackedInline
from unfold.decorators import action, display

from accounts.errors import Refused
from accounts.verb_admin import person
from billing import rate_cards
from billing.admin_forms import CopyForm, PlanPriceForm, PresetForm, PriceForm, RateCardForm
from billing.admin_pages import SaysWhy, go
from billing.models import Meter, PlanPrice, Price, RateCard
from billing.pricing import plain


class PriceInline(StackedInline):
    """A card's prices, one for each meter."""

    model = Price
    form = PriceForm
    fields = ("meter", "model", "free_units", "tiers")
    extra = 0
    max_num = len(Meter)


@admin.register(RateCard)
class RateCardAdmin(SaysWhy, ModelAdmin):
    """Rate cards with their prices."""

    form = RateCardForm
    fields = ("organization", "name", "currency", "base_fee")
    inlines = (PriceInline,)
    list_display = ("name", "organization", "currency", "fee", "plan_count")
    list_filter = ("currency", "organization")
    search_fields = ("name", "organization__name")
    list_select_related = ("organization",)
    actions_detail = ("load_prices", "copy_card")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RateCard]:
        return super().get_queryset(request).annotate(plan_count=Count("plans"))

    def get_readonly_fields(self, request: HttpRequest, obj: RateCard | None = None) -> tuple[str, ...]:
        return ("organization",) if obj else ()

    @display(description="Base fee", ordering="base_fee")
    def fee(self, obj: RateCard) -> str:
        return f"{plain(obj.base_fee)} {obj.currency}"

    @display(description="Plans", ordering="plan_count")
    def plan_count(self, obj: Any) -> int:
        return obj.plan_count

    def save_model(self, request: HttpRequest, obj: RateCard, form: RateCardForm, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in ("name", "currency", "base_fee")}
        if change:
            rate_cards.change_rate_card(rate_card=obj, actor=person(request), **fields)
            return
        made = rate_cards.create_rate_card(organization=obj.organization, actor=person(request), **fields)
        obj.pk, obj._state.adding = made.pk, False

    def save_formset(self, request: HttpRequest, form: Any, formset: BaseInlineFormSet, change: bool) -> None:
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        for line in formset.deleted_forms:
            if line.instance.pk:
                rate_cards.remove_price(price=line.instance, actor=person(request))
                formset.deleted_objects.append(line.instance)
        for line in formset.forms:
            if line in formset.deleted_forms or not line.has_changed():
                continue
            if line.instance.pk and "meter" in line.changed_data:
                rate_cards.remove_price(price=Price.objects.get(pk=line.instance.pk), actor=person(request))
            fields = {name: line.cleaned_data[name] for name in ("meter", "model", "free_units", "tiers")}
            card = RateCard.objects.get(pk=form.instance.pk)
            price = rate_cards.set_price(rate_card=card, actor=person(request), **fields)
            formset.new_objects.append(price)

    def delete_model(self, request: HttpRequest, obj: RateCard) -> None:
        rate_cards.delete_rate_card(rate_card=obj, actor=person(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[RateCard]) -> None:
        for card in queryset:
            rate_cards.delete_rate_card(rate_card=card, actor=person(request))

    @action(
        description="Load AWS prices",
        icon="download",
        permissions=["change"],
        dialog={
            "title": "Load AWS prices",
            "description": "A part of Amazon API Gateway's public price list. Other meters keep their prices.",
            "form_class": PresetForm,
            "form_submit_text": "Load prices",
        },
    )
    def load_prices(self, request: HttpRequest, form: PresetForm, object_id: str) -> HttpResponse:
        card = self.get_object(request, object_id)
        try:
            rate_cards.load_preset(rate_card=card, preset=form.cleaned_data["preset"], actor=person(request))
            messages.success(request, "The prices are loaded. They apply from the next bill on.")
        except Refused as refused:
            messages.error(request, refused.message)
        return go(request, reverse("admin:billing_ratecard_change", args=[object_id]))

    def has_copy_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        """Whether she may make cards. A permission's name would make unfold's checks ask the database."""
        return self.has_add_permission(request)

    @action(
        description="Copy",
        icon="content_copy",
        permissions=["copy"],
        dialog={
            "title": "Copy this rate card",
            "description": "The copy has the same base fee and prices.",
            "form_class": CopyForm,
            "form_submit_text": "Copy",
        },
    )
    def copy_card(self, request: HttpRequest, form: CopyForm, object_id: str) -> HttpResponse:
        card = self.get_object(request, object_id)
        try:
            copy = rate_cards.copy_rate_card(
                rate_card=card, name=form.cleaned_data["name"], actor=person(request)
            )
            object_id = copy.pk
        except Refused as refused:
            messages.error(request, refused.message)
        return go(request, reverse("admin:billing_ratecard_change", args=[object_id]))


@admin.register(PlanPrice)
class PlanPriceAdmin(SaysWhy, ModelAdmin):
    """Which plan is billed by which rate card."""

    form = PlanPriceForm
    list_display = ("plan", "rate_card", "organization")
    list_filter = ("organization", "rate_card")
    search_fields = ("plan__name", "rate_card__name")
    list_select_related = ("plan", "rate_card", "organization")

    def get_readonly_fields(self, request: HttpRequest, obj: PlanPrice | None = None) -> tuple[str, ...]:
        return ("plan",) if obj else ()

    def save_model(self, request: HttpRequest, obj: PlanPrice, form: Any, change: bool) -> None:
        price = rate_cards.price_plan(plan=obj.plan, rate_card=obj.rate_card, actor=person(request))
        if price:
            obj.pk, obj._state.adding = price.pk, False

    def delete_model(self, request: HttpRequest, obj: PlanPrice) -> None:
        rate_cards.price_plan(plan=obj.plan, rate_card=None, actor=person(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[PlanPrice]) -> None:
        for price in queryset.select_related("plan"):
            self.delete_model(request, price)
