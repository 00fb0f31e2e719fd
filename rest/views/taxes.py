"""`tax-rates`, `customer-terms`, `billing-profile`."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import Organization
from accounts.permissions import can_administer
from billing import profiles, tax_rates
from billing.models import CustomerTerms, TaxRate
from rest.filtersets import CustomerTermsFilters, TaxRateFilters
from rest.permissions import Need
from rest.serializers.taxes import (
    BillingProfileSerializer,
    CustomerTermsChange,
    CustomerTermsInput,
    CustomerTermsSerializer,
    TaxRateChange,
    TaxRateInput,
    TaxRateSerializer,
    Whose,
)
from rest.views.base import Changeable, Creatable, Guarded, Listed, Made, Readable, Removable, Resource


class TaxRateViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Taxes that a provider charges, by place, customer and time. Invoices keep what they were issued with."""

    model, noun, nouns, tag = TaxRate, "tax rate", "tax rates", "taxes"
    serializer_class = TaxRateSerializer
    create_input, change_input = TaxRateInput, TaxRateChange
    filterset_class = TaxRateFilters
    ordering_fields = ("name", "country", "percent", "created_at")
    search_fields = ("name",)
    read_need = Need.BILLS
    write_need = Need.ADMINISTER

    def get_queryset(self) -> Any:
        return super().get_queryset().prefetch_related("customers")

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        return tax_rates.create_tax_rate(organization=organization, actor=self.caller.user, **data)

    def change(self, row: TaxRate, data: dict[str, Any]) -> None:
        tax_rates.change_tax_rate(tax_rate=row, actor=self.caller.user, **data)

    def remove(self, row: TaxRate) -> None:
        tax_rates.delete_tax_rate(tax_rate=row, actor=self.caller.user)


class CustomerTermsViews(Listed, Readable, Creatable, Changeable, Resource):
    """What a provider agreed with one customer: days to pay, and how she is taxed.

    Making terms for a customer who has some changes them. They hold from the next invoice on.
    """

    model, noun, nouns, tag = CustomerTerms, "terms with a customer", "terms with customers", "taxes"
    serializer_class = CustomerTermsSerializer
    create_input, change_input = CustomerTermsInput, CustomerTermsChange
    filterset_class = CustomerTermsFilters
    ordering_fields = ("customer__name",)
    search_fields = ("customer__name",)
    related: ClassVar = ("customer",)
    read_need = Need.BILLS
    write_need = Need.ADMINISTER

    def make(self, data: dict[str, Any]) -> Made:
        provider = data.pop("organization", self.caller.organization)
        return profiles.set_customer_terms(provider=provider, actor=self.caller.user, **data)

    def change(self, row: CustomerTerms, data: dict[str, Any]) -> None:
        profiles.set_customer_terms(
            provider=row.organization, customer=row.customer, actor=self.caller.user, **data
        )


class BillingProfileView(Guarded):
    """What invoices print of an organization."""

    tag = "taxes"
    http_method_names = ["get", "patch", "head"]
    read_need = Need.BILLS
    write_need = Need.ADMINISTER

    @extend_schema(
        operation_id="billing_profile_read", parameters=[Whose], responses=BillingProfileSerializer
    )
    def get(self, request: Request) -> Response:
        """Read the billing profile: name, address and tax ids, and as a provider logo and how to pay."""
        return Response(BillingProfileSerializer(profiles.billing_profile(self._organization())).data)

    @extend_schema(
        operation_id="billing_profile_change",
        parameters=[Whose],
        request=BillingProfileSerializer,
        responses=BillingProfileSerializer,
    )
    def patch(self, request: Request) -> Response:
        """Change the billing profile. Invoices that were issued stay as they are."""
        organization = self._organization()
        if not can_administer(self.caller.user, organization):
            raise PermissionDenied("For this one must be owner or admin.")
        reader = BillingProfileSerializer(data=request.data, partial=True, context={"request": request})
        reader.is_valid(raise_exception=True)
        data = reader.validated_data
        if "tax_ids" in data:
            data["tax_ids"] = [dict(each) for each in data["tax_ids"]]
        profile = profiles.change_billing_profile(organization=organization, actor=self.caller.user, **data)
        return Response(BillingProfileSerializer(profile).data)

    def _organization(self) -> Organization:
        asked = Whose(data=self.request.query_params.dict(), context={"request": self.request})
        asked.is_valid(raise_exception=True)
        return asked.validated_data.get("organization", self.caller.organization)
