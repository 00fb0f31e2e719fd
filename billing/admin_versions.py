"""A rate card's versions in the admin console: what it costs from a moment on. Every write goes through a verb."""

from typing import Any

from django.contrib import admin, messages
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.admin import ModelAdmin, StackedInline
from unfold.decorators import display

from accounts.verb_admin import person
from billing import rate_cards
from billing.admin_forms import PriceForm, VersionForm
from billing.admin_pages import SaysWhy
from billing.models import Price, RateCard, RateCardVersion
from billing.tiers_field import shown_tiers

PRICE_FIELDS = ("meter", "model", "free_units", "package_size", "tiers")
SHOWN_FIELDS = ("meter", "model", "free_units", "package_size", "tier_table")


class PriceInline(StackedInline):
    """A version's prices, one for each meter."""

    model = Price
    form = PriceForm
    fields = PRICE_FIELDS
    readonly_fields = ("tier_table",)
    extra = 0

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Of a version that stays, the tiers are a table to read."""
        return PRICE_FIELDS if obj is None or rate_cards.is_editable(obj) else SHOWN_FIELDS

    @display(description="Tiers")
    def tier_table(self, price: Price) -> SafeString:
        return shown_tiers(price.tiers)

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        """A new version begins with the prices of the one before."""
        before = None if obj else version_before(request)
        return before.prices.count() if before else 0


@admin.register(RateCardVersion)
class RateCardVersionAdmin(SaysWhy, ModelAdmin):
    """What a rate card costs from a moment on. One that customers are billed by is only shown."""

    form = VersionForm
    fields = (
        "rate_card",
        "effective_from",
        ("base_fee", "base_fee_in_advance"),
        ("minimum", "maximum"),
        ("trial_days", "proration"),
    )
    inlines = (PriceInline,)
    list_select_related = ("rate_card",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Not in the menu: one comes here from a rate card."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or rate_cards.is_editable(obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and obj is not None and rate_cards.is_editable(obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("rate_card", "effective_from") if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        before = version_before(request)
        if before is None:
            return super().get_changeform_initial_data(request)
        terms = {name: getattr(before, name) for name in RateCardVersion.TERMS}
        return {"rate_card": before.rate_card_id, **terms}

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        before = None if obj.pk else version_before(request)
        if before:
            prices = before.prices.all()
            kwargs["initial"] = [{name: getattr(each, name) for name in PRICE_FIELDS} for each in prices]
        return kwargs

    def save_model(self, request: HttpRequest, obj: RateCardVersion, form: VersionForm, change: bool) -> None:
        actor, card = person(request), obj.rate_card
        if not change:
            at = form.cleaned_data["effective_from"] or rate_cards.next_minute()
            obj.pk = rate_cards.add_version(rate_card=card, at=at, actor=actor).pk
            obj.effective_from, obj._state.adding = at, False
        terms = {name: form.cleaned_data[name] for name in RateCardVersion.TERMS}
        rate_cards.change_rate_card(rate_card=card, at=obj.effective_from, actor=actor, **terms)

    def save_formset(self, request: HttpRequest, form: Any, formset: BaseInlineFormSet, change: bool) -> None:
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        version, actor = form.instance, person(request)
        card, at = version.rate_card, version.effective_from
        for line in formset.forms:
            before = line.initial.get("meter")
            gone = line in formset.deleted_forms
            if before and (gone or "meter" in line.changed_data):
                rate_cards.remove_price(rate_card=card, meter=before, at=at, actor=actor)
            if line.has_changed() and not gone:
                fields = {name: line.cleaned_data[name] for name in PRICE_FIELDS}
                rate_cards.set_price(rate_card=card, at=at, actor=actor, **fields)

    def delete_model(self, request: HttpRequest, obj: RateCardVersion) -> None:
        rate_cards.drop_version(version=obj, actor=person(request))

    def response_add(
        self, request: HttpRequest, obj: RateCardVersion, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        return self._back(request, obj, "is set")

    def response_change(self, request: HttpRequest, obj: RateCardVersion) -> HttpResponse:
        return self._back(request, obj, "is changed")

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: Any) -> HttpResponse:
        messages.success(request, f"{obj_display.capitalize()} is dropped.")
        return HttpResponseRedirect(reverse("admin:billing_ratecard_changelist"))

    @staticmethod
    def _back(request: HttpRequest, obj: RateCardVersion, done: str) -> HttpResponse:
        messages.success(
            request, f"What {obj.rate_card} costs from {obj.effective_from:%Y-%m-%d %H:%M} UTC on {done}."
        )
        return HttpResponseRedirect(reverse("admin:billing_ratecard_change", args=[obj.rate_card_id]))


def version_before(request: HttpRequest) -> RateCardVersion | None:
    """Return what a new version begins as: the one in force of the card that the address names."""
    card = RateCard.objects.filter(pk=request.GET.get("rate_card", "")).first()
    return card.current if card else None
