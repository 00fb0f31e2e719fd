"""`credits`, `credit-movements`, `payments`."""

from typing import Any, ClassVar

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.portal_address import portal_url
from billing.ledger.balances import balances
from billing.ledger.grants import grant, revoke
from billing.models import AccountKind, CreditGrant, LedgerTransaction, Payment
from billing.payments.pay import buy_credits, pay_invoice
from billing.payments.refunds import refund
from billing.pricing import ZERO
from billing.queries import default_currency
from rest.filtersets import CreditFilters, MovementFilters, PaymentFilters
from rest.permissions import Need
from rest.serializers.base import Nothing
from rest.serializers.payments import (
    BalanceSerializer,
    CreditInput,
    CreditSerializer,
    MovementSerializer,
    PaymentInput,
    PaymentSerializer,
    RefundInput,
)
from rest.views.base import Creatable, Listed, Made, Readable, Resource, act

PROVIDER_ONLY = "Only the provider may do this."


class CreditViews(Listed, Readable, Creatable, Resource):
    """Credits that the organization gave as a provider, and those it has as a developer."""

    model, noun, nouns, tag = CreditGrant, "credit", "credits", "payments"
    serializer_class = CreditSerializer
    create_input = CreditInput
    related = ("organization", "customer")
    action_inputs: ClassVar = {"revoke": Nothing}
    filterset_class = CreditFilters
    ordering_fields = ("created_at", "expires_at", "amount")
    search_fields = ("name", "customer__name")
    read_need = Need.BILLS
    write_need = Need.ADMINISTER

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().annotate(left=Coalesce(Sum("entries__amount"), ZERO))

    def make(self, data: dict[str, Any]) -> Made:
        provider = data.pop("organization", self.caller.organization)
        reference = data.pop("reference", "")
        # its own corner of the provider's references
        reference = f"api:{reference}" if reference else ""
        return grant(provider=provider, reference=reference, actor=self.caller.user, **data)

    @act()
    def revoke(self, request: Request, pk: str) -> Response:
        """Take back what is left (the provider)."""
        credit_grant, _ = self.target()
        if not self.caller.provides(credit_grant.organization_id):
            raise PermissionDenied(PROVIDER_ONLY)
        revoke(credit_grant=credit_grant, actor=self.caller.user)
        return self.answer(credit_grant)

    @extend_schema(responses=BalanceSerializer(many=True), filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def balances(self, request: Request) -> Response:
        """What can be used now, by provider, customer and currency: one's own, and one's customers'."""
        own = [self.caller.organization.pk]
        found = balances(customer_ids=own) | balances(provider_ids=own)
        rows = [
            {"organization": provider, "customer": customer, "currency": currency, "amount": amount}
            for (provider, customer, currency), amount in sorted(found.items())
        ]
        return Response(BalanceSerializer(rows, many=True).data)


class MovementViews(Listed, Readable, Resource):
    """What moved credits, newest first: given, bought, used, returned, expired."""

    model, noun, nouns, tag = LedgerTransaction, "credit movement", "credit movements", "payments"
    serializer_class = MovementSerializer
    filterset_class = MovementFilters
    ordering_fields = ("at",)
    read_need = Need.BILLS

    def get_queryset(self) -> QuerySet[Any]:
        change = Sum("entries__amount", filter=Q(entries__account__kind=AccountKind.CREDITS))
        return super().get_queryset().annotate(change=change).filter(change__isnull=False)


class PaymentViews(Listed, Readable, Creatable, Resource):
    """Payments that the organization got as a provider, and those it made as a developer."""

    model, noun, nouns, tag = Payment, "payment", "payments", "payments"
    serializer_class = PaymentSerializer
    create_input = PaymentInput
    related = ("organization", "customer", "invoice")
    action_inputs: ClassVar = {"refund": RefundInput}
    action_needs: ClassVar = {"create": Need.BILLS}
    filterset_class = PaymentFilters
    ordering_fields = ("created_at", "succeeded_at", "amount")
    search_fields = ("reference", "customer__name", "organization__name")
    read_need = Need.BILLS
    write_need = Need.ADMINISTER

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().prefetch_related("refunds")

    def create(self, request: Request) -> Response:
        """Pay an invoice that you received, or buy credits. Pending with a `url`: the customer pays there."""
        # in no transaction of ours: the payment must stand before the processor is asked
        return self.answer(self._pay(self.read_input()), status=201)

    def _pay(self, data: dict[str, Any]) -> Payment:
        back = data.get("return_url", f"{portal_url()}/console/payments/")
        actor = self.caller.user
        if "invoice" in data:
            return pay_invoice(invoice=data["invoice"], return_url=back, actor=actor)
        provider = data["provider"]
        return buy_credits(
            provider=provider,
            customer=self.caller.organization,
            amount=data["amount"],
            currency=data.get("currency") or default_currency([provider.pk])[provider.pk],
            return_url=back,
            actor=actor,
        )

    @act()
    def refund(self, request: Request, pk: str) -> Response:
        """Pay back all or a part (the provider). The invoice stays paid."""
        payment, data = self.target()
        if not self.caller.provides(payment.organization_id):
            raise PermissionDenied(PROVIDER_ONLY)
        refund(payment=payment, actor=self.caller.user, **data)
        return self.answer(payment)
