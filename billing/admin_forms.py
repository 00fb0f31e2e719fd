"""Forms of billing's admin pages. They ask the rules that the verbs ask, so errors stand at their field."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.errors import Refused
from accounts.models import Organization
from billing.currencies import check_currency
from billing.meters import check_meter
from billing.models import Meter, PlanPrice, Price, PriceOverride, RateCard, RateCardVersion
from billing.month_end import providers
from billing.presets import PRESETS
from billing.pricing import make_tariff, plain
from billing.rate_cards.terms import read_terms
from billing.tiers_field import OptionalTiersField, TiersField

T = TypeVar("T")


def _ask(rule: Callable[[], T]) -> T:
    try:
        return rule()
    except Refused as refused:
        raise forms.ValidationError(refused.message) from refused


class RateCardForm(forms.ModelForm):
    """Name, currency and whose use adds up. What it costs stands on its versions' pages."""

    class Meta:
        model = RateCard
        fields = ("organization", "name", "currency", "tiers_over")

    def clean_currency(self) -> str:
        return _ask(lambda: check_currency(self.cleaned_data["currency"]))


class VersionForm(forms.ModelForm):
    """What a rate card costs from a moment on, besides its prices."""

    base_fee = forms.CharField(
        initial="0", widget=UnfoldAdminTextInputWidget, help_text="For each subscription and month."
    )
    minimum = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What a month costs at least, fees and use together. Empty = none.",
    )
    maximum = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="What a month costs at most, fees and use together. Empty = none.",
    )
    effective_from = forms.SplitDateTimeField(
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text="The first minute that counts for it (UTC). Empty = from the next minute on.",
    )

    class Meta:
        model = RateCardVersion
        fields = ("rate_card", *RateCardVersion.TERMS, "effective_from")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("base_fee", "minimum", "maximum"):
            value = self.initial.get(name)
            if isinstance(value, Decimal):
                self.initial[name] = plain(value)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        given = {name: data[name] for name in RateCardVersion.TERMS if name in data}
        try:
            return data | read_terms(RateCardVersion(), given)
        except Refused as refused:
            self.add_error(refused.field, refused.message)
            return data


class PriceForm(forms.ModelForm):
    """The price of one meter."""

    meter = forms.CharField(
        max_length=40,
        widget=UnfoldAdminTextInputWidget,
        help_text=f"One of {', '.join(Meter.values)}, or a meter of your own.",
    )
    tiers = TiersField()
    free_units = forms.CharField(
        initial="0",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Units (calls, GiB, hours) that are free each month before the tiers.",
    )
    package_size = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Units of a package, for the models that count packages.",
    )

    class Meta:
        model = Price
        fields = ("meter", "model", "free_units", "package_size", "tiers")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("free_units", "package_size"):
            value = self.initial.get(name)
            if isinstance(value, Decimal):
                self.initial[name] = plain(value)

    def clean_meter(self) -> str:
        return _ask(lambda: check_meter(self.cleaned_data["meter"].strip()))

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        data["free_units"] = data.get("free_units") or "0"
        data["package_size"] = data.get("package_size") or None
        if "tiers" in data and "model" in data:
            try:
                make_tariff(
                    data["model"], data["tiers"], data["free_units"], package_size=data["package_size"]
                )
            except Refused as refused:
                self.add_error(refused.field if refused.field in self.fields else None, refused.message)
        return data


class OverrideForm(forms.ModelForm):
    """A discount in percent, or an own price for a meter, of one customer on a rate card."""

    percent = forms.CharField(
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="A discount, such as 12.5; or give a price.",
    )
    free_units = forms.CharField(initial="0", required=False, widget=UnfoldAdminTextInputWidget)
    package_size = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget)
    tiers = OptionalTiersField(required=False)
    starts_at = forms.SplitDateTimeField(
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text="A whole minute to come (UTC). Empty = the next one.",
    )

    class Meta:
        model = PriceOverride
        fields = (
            "rate_card", "customer", "meter", "percent", "model", "free_units", "package_size", "tiers",
            "starts_at", "ends_at", "reason",
        )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        empty = {"free_units": "0", "percent": None, "package_size": None, "ends_at": None, "starts_at": None}
        return data | {name: data.get(name) or value for name, value in empty.items()}

    def _get_validation_exclusions(self) -> set[str]:
        """The verb asks the rules that tables hold, and says in words what is wrong."""
        return super()._get_validation_exclusions() | set(self.fields)  # type: ignore[misc]


class PlanPriceForm(forms.ModelForm):
    """Which rate card a plan is billed by."""

    class Meta:
        model = PlanPrice
        fields = ("plan", "rate_card")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        card, plan = data.get("rate_card"), data.get("plan") or getattr(self.instance, "plan", None)
        if card and plan and card.organization_id != plan.organization_id:
            self.add_error(
                "rate_card",
                f"{card} is a rate card of {card.organization}, {plan} a plan of {plan.organization}.",
            )
        return data


class PresetForm(BaseDialogForm):
    """Which price list to load."""

    preset = forms.ChoiceField(
        choices=[(key, preset.name) for key, preset in PRESETS.items()], widget=UnfoldAdminSelectWidget
    )


class CopyForm(BaseDialogForm):
    """The name of a rate card's copy."""

    name = forms.CharField(max_length=80, widget=UnfoldAdminTextInputWidget)


class CloseForm(BaseDialogForm):
    """Which provider's month to close."""

    provider = forms.ModelChoiceField(Organization.objects.none(), widget=UnfoldAdminSelectWidget)
    month = forms.ChoiceField(
        choices=[("last", "The last month that is over"), ("running", "The running month, up to now")],
        widget=UnfoldAdminSelectWidget,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].queryset = providers()
