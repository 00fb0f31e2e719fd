"""Forms of billing's admin pages. They ask the rules that the verbs ask, so errors stand at their field."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from django import forms
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.errors import Refused
from accounts.models import Organization
from billing.currencies import check_currency
from billing.models import PlanPrice, Price, RateCard
from billing.month_end import providers
from billing.presets import PRESETS
from billing.pricing import MONEY_LIMIT, plain, read_decimal
from billing.tiers_field import TiersField

T = TypeVar("T")


def _ask(rule: Callable[[], T]) -> T:
    try:
        return rule()
    except Refused as refused:
        raise forms.ValidationError(refused.message) from refused


class RateCardForm(forms.ModelForm):
    """Name, currency and base fee of a rate card."""

    base_fee = forms.CharField(
        initial="0", widget=UnfoldAdminTextInputWidget, help_text="For each subscription and month."
    )

    class Meta:
        model = RateCard
        fields = ("organization", "name", "currency", "base_fee")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance and not self.instance._state.adding:
            self.initial["base_fee"] = plain(self.instance.base_fee)

    def clean_currency(self) -> str:
        currency = _ask(lambda: check_currency(self.cleaned_data["currency"]))
        changed = not self.instance._state.adding and currency != self.initial["currency"]
        if changed and self.instance.plans.exists():
            raise forms.ValidationError("Plans are billed by this rate card, so its currency stays.")
        return currency

    def clean_base_fee(self) -> Decimal:
        text = self.cleaned_data["base_fee"]
        return _ask(lambda: read_decimal(text, field="base_fee", name="Base fee", below=MONEY_LIMIT))


class PriceForm(forms.ModelForm):
    """The price of one meter."""

    tiers = TiersField()
    free_units = forms.CharField(
        initial="0",
        widget=UnfoldAdminTextInputWidget,
        help_text="Requests, or GiB, that are free each month before the tiers.",
    )

    class Meta:
        model = Price
        fields = ("meter", "model", "free_units", "tiers")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance and not self.instance._state.adding:
            self.initial["free_units"] = plain(self.instance.free_units)

    def clean_free_units(self) -> Decimal:
        text = self.cleaned_data["free_units"]
        return _ask(lambda: read_decimal(text, field="free_units", name="Free units"))


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
