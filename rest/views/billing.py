"""`rate-cards`, `invoices`."""

from datetime import datetime
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import Refused
from accounts.permissions import can_administer
from billing import invoices, rate_cards
from billing.models import Invoice, RateCard
from billing.payments.pay import record_payment
from billing.periods import parse_month
from billing.queries import with_lines
from billing.simulate import simulate
from rest.filtersets import InvoiceFilters, RateCardFilters
from rest.permissions import Need
from rest.serializers.base import Nothing
from rest.serializers.billing import (
    ClosedSerializer,
    CloseInput,
    DropVersionInput,
    InvoiceDetailSerializer,
    InvoiceSerializer,
    RateCardChange,
    RateCardInput,
    RateCardSerializer,
)
from rest.serializers.credit_notes import CreditNoteInput
from rest.serializers.payments import MoneyInInput
from rest.serializers.simulations import SimulateInput, SimulationSerializer
from rest.views.audits import Auditing
from rest.views.base import Changeable, Creatable, Listed, Made, Readable, Removable, Resource, act
from rest.views.invoice_documents import Crediting, Downloads


class RateCardViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Prices by meter. A change holds from the next minute on, or from a chosen one; never for the past."""

    model, noun, nouns, tag = RateCard, "rate card", "rate cards", "rate-cards"
    serializer_class = RateCardSerializer
    create_input, change_input = RateCardInput, RateCardChange
    action_inputs: ClassVar = {"drop_version": DropVersionInput, "simulate": SimulateInput}
    action_outputs: ClassVar = {"drop_version": RateCardSerializer, "simulate": SimulationSerializer}
    filterset_class = RateCardFilters
    ordering_fields = ("name", "created_at")
    search_fields = ("name",)
    write_need = Need.ADMINISTER

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().prefetch_related("versions__prices")

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        prices, preset = data.pop("prices", None), data.pop("preset", None)
        at = data.pop("effective_from", None)
        card = rate_cards.create_rate_card(organization=organization, actor=self.caller.user, **data)
        self._price(card, prices, preset, at)
        return card

    def change(self, row: RateCard, data: dict[str, Any]) -> None:
        prices, preset = data.pop("prices", None), data.pop("preset", None)
        at = data.pop("effective_from", None)
        if at is None and rate_cards.is_used(row):
            # one moment for all that is changed, also when the request goes over a minute's end
            at = rate_cards.next_minute()
        if data:
            rate_cards.change_rate_card(rate_card=row, at=at, actor=self.caller.user, **data)
        self._price(row, prices, preset, at)

    def remove(self, row: RateCard) -> None:
        rate_cards.delete_rate_card(rate_card=row, actor=self.caller.user)

    @act()
    def drop_version(self, request: Request, pk: str) -> Response:
        """Drop a version that has not begun."""
        card, data = self.target()
        found = card.versions.select_related("rate_card").filter(number=data["number"]).first()
        if found is None:
            raise Refused(f"{card} has no version {data['number']}.", field="number", code="unknown")
        rate_cards.drop_version(version=found, actor=self.caller.user)
        return self.answer(self.get_queryset().get(pk=card.pk))

    @act()
    def simulate(self, request: Request, pk: str) -> Response:
        """Replay a month with other prices: what each customer would have paid. Nothing is written.

        The prices of the rate card's newest version, or of `version`, or of another card.
        """
        card, data = self.target()
        provider, number = card.organization, data.get("version")
        version = card.versions.filter(number=number).first() if number else None
        if number and version is None:
            raise Refused(f"{card} has no version {number}.", field="version", code="unknown")
        found = simulate(
            rate_card=card,
            version=version,
            instead=data.get("rate_card"),
            period=parse_month(data["month"], provider.timezone) if "month" in data else None,
        )
        return Response(SimulationSerializer(found).data)

    def _price(
        self, card: RateCard, prices: list[dict[str, Any]] | None, preset: str | None, at: datetime | None
    ) -> None:
        # read again: its currency may have changed a moment ago
        card, actor = RateCard.objects.get(pk=card.pk), self.caller.user
        if prices is not None:
            kept = {price["meter"] for price in prices}
            before = card.version_at(at) if at else card.current
            for meter in before.prices.exclude(meter__in=kept).values_list("meter", flat=True):
                rate_cards.remove_price(rate_card=card, meter=meter, at=at, actor=actor)
            for price in prices:
                rate_cards.set_price(rate_card=card, at=at, actor=actor, **price)
        if preset:
            rate_cards.load_preset(rate_card=card, preset=preset, at=at, actor=actor)


class InvoiceViews(Auditing, Downloads, Crediting, Listed, Readable, Resource):
    """Invoices that the organization issued as a provider, and those it received as a developer."""

    model, noun, nouns, tag = Invoice, "invoice", "invoices", "invoices"
    serializer_class = InvoiceSerializer
    related = ("organization", "customer")
    action_inputs: ClassVar = {
        "pay": MoneyInInput,
        "void": Nothing,
        "close": CloseInput,
        "credit": CreditNoteInput,
    }
    action_outputs: ClassVar = dict.fromkeys(("retrieve", "pay", "void"), InvoiceDetailSerializer)
    filterset_class = InvoiceFilters
    ordering_fields = ("period_start", "period_end", "number", "total", "due_at", "created_at")
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
