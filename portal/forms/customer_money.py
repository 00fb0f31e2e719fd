"""A provider's terms with one customer, credits for it, and a discount."""

from datetime import UTC, datetime, time
from typing import Any

from django import forms

from accounts.models import Organization
from billing.models import CustomerTerms, RateCard, TaxTreatment
from billing.profiles import MAX_DUE_DAYS, TERMS
from portal.forms.dates import DateField


class TermsForm(forms.Form):
    due_days = forms.IntegerField(
        label="Days to pay",
        required=False,
        min_value=0,
        max_value=MAX_DUE_DAYS,
        help_text="Empty = as usual.",
    )
    tax_treatment = forms.ChoiceField(label="Tax", choices=TaxTreatment.choices)
    tax_note = forms.CharField(
        label="Note on invoices without tax",
        required=False,
        max_length=200,
        help_text="Such as the number of the certificate.",
    )
    credit_only = forms.BooleanField(
        label="Prepaid only", required=False, help_text="Calls stop when the credits are used up."
    )
    dunning_exempt = forms.BooleanField(
        label="May pay late", required=False, help_text="Late payment neither warns nor suspends."
    )

    def __init__(self, *args: Any, terms: CustomerTerms | None, **kwargs: Any) -> None:
        terms = terms or CustomerTerms()
        kwargs["initial"] = {name: getattr(terms, name) for name in TERMS}
        super().__init__(*args, **kwargs)


class GrantForm(forms.Form):
    amount = forms.DecimalField(label="Amount", min_value=0, max_digits=14)
    currency = forms.CharField(label="Currency", max_length=3, min_length=3)
    name = forms.CharField(
        label="What for", max_length=80, help_text="The customer reads it, such as Apology for the outage."
    )
    expires = DateField(label="Until the end of", required=False, help_text="Empty = they do not expire.")

    def values(self) -> dict[str, Any]:
        """Return what the verb takes."""
        given = dict(self.cleaned_data)
        given["expires_at"] = end_of(given.pop("expires"))
        return given


class DiscountForm(forms.Form):
    """A discount on all that a rate card charges; tariffs of a customer's own are given by REST or admin."""

    rate_card = forms.ModelChoiceField(RateCard.objects.none(), label="Rate card", empty_label=None)
    percent = forms.DecimalField(
        label="Percent off", min_value=0, max_value=100, max_digits=6, decimal_places=3
    )
    ends = DateField(label="Until the end of", required=False, help_text="Empty = until you end it.")
    reason = forms.CharField(label="Why", required=False, max_length=200, help_text="For your own people.")

    def __init__(self, *args: Any, provider: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rate_card"].queryset = RateCard.objects.filter(organization=provider)  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """Return what the verb takes."""
        given = dict(self.cleaned_data)
        given["ends_at"] = end_of(given.pop("ends"))
        return given


def end_of(day: Any) -> datetime | None:
    """The last minute of a day, UTC."""
    return datetime.combine(day, time(23, 59), UTC) if day else None
