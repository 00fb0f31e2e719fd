"""`rate-cards`, `invoices`."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import can_administer
from billing import invoices, rate_cards
from billing.models import Invoice, RateCard
from billing.payments.pay import record_payment
from billing.periods import parse_month
from billing.queries import with_lines
from rest.filtersets import InvoiceFilters, RateCardFilters
from rest.permissions import Need
from rest.serializers.base import Nothing
from rest.serializers.billing import (
    ClosedSerializer,
    CloseInput,
    InvoiceDetailSerializer,
    InvoiceSerializer,
    RateCardChange,
    RateCardInput,
    RateCardSerializer,
)
from rest.serializers.payments import MoneyInInput
from rest.views.base import Changeable, Creatable, Listed, Made, Readable, Removable, Resource, act


class RateCardViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Prices by meter. A change applies from the next bill on; finalized invoices do not move."""

    model, noun, nouns, tag = RateCard, "rate card", "rate cards", "rate-cards"
    serializer_class = RateCardSerializer
    create_input, change_input = RateCardInput, RateCardChange
    filterset_class = RateCardFilters
    ordering_fields = ("name", "created_at")
    search_fields = ("name",)
    write_need = Need.ADMINISTER

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().prefetch_related("prices")

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        prices, preset = data.pop("prices", None), data.pop("preset", None)
        card = rate_cards.create_rate_card(organization=organization, actor=self.caller.user, **data)
        self._price(card, prices, preset)
        return card

    def change(self, row: RateCard, data: dict[str, Any]) -> None:
        prices, preset = data.pop("prices", None), data.pop("preset", None)
        if data:
            rate_cards.change_rate_card(rate_card=row, actor=self.caller.user, **data)
        self._price(row, prices, preset)

    def remove(self, row: RateCard) -> None:
        rate_cards.delete_rate_card(rate_card=row, actor=self.caller.user)

    def _price(self, card: RateCard, prices: list[dict[str, Any]] | None, preset: str | None) -> None:
        if prices is not None:
            kept = {price["meter"] for price in prices}
            for dropped in card.prices.exclude(meter__in=kept):
                rate_cards.remove_price(price=dropped, actor=self.caller.user)
            for price in prices:
                rate_cards.set_price(rate_card=card, actor=self.caller.user, **price)
        if preset:
            # read again: its currency may have changed a moment ago
            fresh = RateCard.objects.get(pk=card.pk)
            rate_cards.load_preset(rate_card=fresh, preset=preset, actor=self.caller.user)


class InvoiceViews(Listed, Readable, Resource):
    """Invoices that the organization issued as a provider, and those it received as a developer."""

    model, noun, nouns, tag = Invoice, "invoice", "invoices", "invoices"
    serializer_class = InvoiceSerializer
    related = ("organization", "customer")
    action_inputs: ClassVar = {"pay": MoneyInInput, "void": Nothing, "close": CloseInput}
    action_outputs: ClassVar = dict.fromkeys(("retrieve", "pay", "void"), InvoiceDetailSerializer)
    filterset_class = InvoiceFilters
    ordering_fields = ("period_start", "period_end", "number", "total", "created_at")
    search_fields = ("customer__name", "organization__name")
    read_need = Need.BILLS
    write_need = Need.ADMINISTER

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        return with_lines(rows) if self.detail else rows

    def get_serializer_class(self) -> Any:
        return self.output_class()

    @act()
    def pay(self, request: Request, pk: str) -> Response:
        """Note money that came in for an invoice (the provider): all that is due, or a part."""
        invoice, data = self._issued()
        if data or invoice.amount_due:
            record_payment(invoice=invoice, actor=self.caller.user, **data)
        else:
            invoices.mark_paid(invoice=invoice, actor=self.caller.user)
        return self.answer(invoice)

    @act()
    def void(self, request: Request, pk: str) -> Response:
        """Take a finalized invoice back (the provider): nothing is owed; number and lines stay."""
        invoice, _ = self._issued()
        return self.answer(invoices.void(invoice=invoice, actor=self.caller.user))

    @extend_schema(responses={201: ClosedSerializer})
    @action(detail=False, methods=["post"])
    def close(self, request: Request) -> Response:
        """Close a month: make the invoices of every customer of the provider.

        Closing twice makes nothing new. A month that still runs is billed up to now; a later run
        bills the rest.
        """
        data = self.read_input()
        provider = data.get("organization", self.caller.organization)
        if not can_administer(self.caller.user, provider):
            raise PermissionDenied("For this one must be owner or admin.")
        made = invoices.close_period(
            provider=provider,
            period=parse_month(data["month"], provider.timezone),
            corrections=data["corrections"],
            actor=self.caller.user,
        )
        rows = self.get_queryset().filter(pk__in=made).order_by("number")
        return Response(ClosedSerializer({"month": data["month"], "invoices": rows}).data, status=201)

    def _issued(self) -> tuple[Invoice, dict[str, Any]]:
        invoice, data = self.target()
        if not self.caller.provides(invoice.organization_id):
            raise PermissionDenied("Only the provider that issued the invoice may do this.")
        return invoice, data
