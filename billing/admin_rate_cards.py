"""Rate cards and priced plans in the admin console. Every write goes through a verb."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action, display

from accounts.telling import refusal_as_message
from accounts.verb_admin import person
from billing import rate_cards
from billing.admin_forms import CopyForm, PlanPriceForm, PresetForm, RateCardForm
from billing.admin_pages import SaysWhy, go
from billing.admin_what_if import WhatIf
from billing.meters import name_of
from billing.models import PlanPrice, RateCard, RateCardVersion
from billing.pricing import plain


class VersionInline(TabularInline):
    """A card's versions, to read; each has a page of its own."""

    model = RateCardVersion
    fields = readonly_fields = ("shown", "begins", "fee", "priced")
    extra = 0
    can_delete = False
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[RateCardVersion]:
        return super().get_queryset(request).select_related("rate_card").prefetch_related("prices")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @display(description="Version")
    def shown(self, version: RateCardVersion) -> str:
        address = reverse("admin:billing_ratecardversion_change", args=[version.pk])
        return format_html(
            '<a class="text-primary-600 underline" href="{}">Version {}</a>', address, version.number
        )

    @display(description="From (UTC)")
    def begins(self, version: RateCardVersion) -> str:
        first = version.number == 1
        return "the beginning" if first else f"{version.effective_from:%Y-%m-%d %H:%M}"

    @display(description="Base fee")
    def fee(self, version: RateCardVersion) -> str:
        return f"{plain(version.base_fee)} {version.rate_card.currency}"

    @display(description="Prices of")
    def priced(self, version: RateCardVersion) -> str:
        return ", ".join(name_of(price.meter) for price in version.prices.all()) or "nothing"


@admin.register(RateCard)
class RateCardAdmin(WhatIf, SaysWhy, ModelAdmin):
    """Rate cards with their versions."""

    form = RateCardForm
    fields = ("organization", "name", "currency", "tiers_over")
    inlines = (VersionInline,)
    list_display = ("name", "organization", "currency", "fee", "plan_count")
    list_filter = ("currency", "organization")
    search_fields = ("name", "organization__name")
    list_select_related = ("organization",)
    actions_detail = ("new_version", "load_prices", "copy_card", "what_if")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RateCard]:
        found = super().get_queryset(request).annotate(plan_count=Count("plans"))
        return found.prefetch_related("versions")

    def get_readonly_fields(self, request: HttpRequest, obj: RateCard | None = None) -> tuple[str, ...]:
        return ("organization",) if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj else ()

    @display(description="Base fee")
    def fee(self, obj: RateCard) -> str:
        return f"{plain(obj.base_fee)} {obj.currency}"

    @display(description="Plans", ordering="plan_count")
    def plan_count(self, obj: Any) -> int:
        return obj.plan_count

    def save_model(self, request: HttpRequest, obj: RateCard, form: RateCardForm, change: bool) -> None:
        fields = {name: form.cleaned_data[name] for name in ("name", "currency", "tiers_over")}
        if change:
            rate_cards.change_rate_card(rate_card=obj, actor=person(request), **fields)
            return
        made = rate_cards.create_rate_card(organization=obj.organization, actor=person(request), **fields)
        obj.pk, obj._state.adding = made.pk, False

    def response_add(self, request: HttpRequest, obj: RateCard, *args: Any, **kwargs: Any) -> HttpResponse:
        """Go on to the first version's page: without prices a card is worth nothing."""
        messages.success(request, f"Rate card {obj.name} is made. Now say what it costs.")
        first = obj.versions.get()
        return HttpResponseRedirect(reverse("admin:billing_ratecardversion_change", args=[first.pk]))

    @action(description="New version", icon="update", permissions=["change"])
    def new_version(self, request: HttpRequest, object_id: str) -> HttpResponse:
        address = reverse("admin:billing_ratecardversion_add")
        return HttpResponseRedirect(f"{address}?rate_card={object_id}")

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
        with refusal_as_message(request):
            rate_cards.load_preset(rate_card=card, preset=form.cleaned_data["preset"], actor=person(request))
            messages.success(
                request,
                "The prices are loaded; for customers they hold from the next minute on.",
            )
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
        with refusal_as_message(request):
            copy = rate_cards.copy_rate_card(
                rate_card=card, name=form.cleaned_data["name"], actor=person(request)
            )
            object_id = copy.pk
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
