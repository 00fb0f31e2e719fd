"""Buying credits, and leaving a card."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from accounts.models import Organization


class CreditsForm(forms.Form):
    """How much to pay in advance, and to whom. `currencies` = provider id -> currency."""

    provider = forms.ModelChoiceField(Organization.objects.none(), label="Provider", empty_label=None)
    amount = forms.DecimalField(label="Amount", max_digits=14, min_value=0)

    def __init__(
        self, *args: Any, providers: QuerySet[Organization], currencies: dict[str, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.currencies = currencies
        field = self.fields["provider"]
        field.queryset = providers  # type: ignore[attr-defined]
        field.label_from_instance = lambda each: f"{each.name} ({currencies[each.pk]})"  # type: ignore[attr-defined]

    @property
    def currency(self) -> str:
        return self.currencies[self.cleaned_data["provider"].pk]


class CardForm(forms.Form):
    """Which provider may charge the card."""

    provider = forms.ModelChoiceField(Organization.objects.none(), label="Provider", empty_label=None)

    def __init__(self, *args: Any, providers: QuerySet[Organization], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["provider"].queryset = providers  # type: ignore[attr-defined]
