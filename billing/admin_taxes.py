"""Tax rates and billing profiles in the admin console. Every write goes through a verb."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.http import HttpRequest
from unfold.decorators import display

from accounts.models import Organization
from accounts.verb_admin import VerbAdmin, person
from billing import profiles, tax_rates
from billing.models import BillingProfile, TaxRate


class TaxRateForm(forms.ModelForm):
    """Django's admin offers no field for relations that have a table of their own."""

    customers = forms.ModelMultipleChoiceField(
        Organization.objects.all(),
        required=False,
        widget=AutocompleteSelectMultiple(TaxRate._meta.get_field("customers"), admin.site),
        help_text="Only these customers, wherever they are; none = by country and region.",
    )

    class Meta:
        model = TaxRate
        fields = ("organization", "name", "percent")


@admin.register(TaxRate)
class TaxRateAdmin(VerbAdmin):
    """Taxes that providers charge, by place, customer and time."""

    list_display = (
        "name",
        "organization",
        "shown_percent",
        "inclusive",
        "place",
        "valid_from",
        "valid_until",
    )
    list_filter = ("inclusive", "country", "organization")
    search_fields = ("name", "organization__name")
    list_select_related = ("organization",)
    form = TaxRateForm
    FIELDS = (
        "organization",
        ("name", "percent"),
        "inclusive",
        ("country", "region"),
        "customers",
        "reverse_charge_note",
        "valid_from",
        "valid_until",
    )

    def get_fields(self, request: HttpRequest, obj: TaxRate | None = None) -> Any:
        # not as `fields`: Django refuses a relation with a table of its own there, whatever the form offers
        return self.FIELDS

    def get_readonly_fields(self, request: HttpRequest, obj: TaxRate | None = None) -> tuple[str, ...]:
        return ("organization",) if obj else ()

    @display(description="Percent", ordering="percent")
    def shown_percent(self, rate: TaxRate) -> str:
        return f"{rate.percent.normalize():f} %"

    @display(description="Of", ordering="country")
    def place(self, rate: TaxRate) -> str:
        return ", ".join(part for part in (rate.region, rate.country) if part) or "everywhere"

    def create(self, request: HttpRequest, data: dict[str, Any]) -> TaxRate:
        return tax_rates.create_tax_rate(actor=person(request), **data)

    def change(self, request: HttpRequest, row: TaxRate, data: dict[str, Any]) -> None:
        tax_rates.change_tax_rate(tax_rate=row, actor=person(request), **data)

    def remove(self, request: HttpRequest, row: TaxRate) -> None:
        tax_rates.delete_tax_rate(tax_rate=row, actor=person(request))


@admin.register(BillingProfile)
class BillingProfileAdmin(VerbAdmin):
    """What invoices print of an organization; its own people edit it in the console, logo included."""

    list_display = ("organization", "legal_name", "country", "region")
    list_filter = ("country",)
    search_fields = ("organization__name", "legal_name")
    list_select_related = ("organization",)
    fields = (
        "organization",
        "legal_name",
        "address",
        ("country", "region"),
        "tax_ids",
        "payment_instructions",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: BillingProfile | None = None) -> tuple[str, ...]:
        return ("organization",) if obj else ()

    def create(self, request: HttpRequest, data: dict[str, Any]) -> BillingProfile:
        return profiles.change_billing_profile(actor=person(request), **data)

    def change(self, request: HttpRequest, row: BillingProfile, data: dict[str, Any]) -> None:
        profiles.change_billing_profile(organization=row.organization, actor=person(request), **data)
