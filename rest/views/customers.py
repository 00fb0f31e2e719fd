"""`customer-suspensions`, `announcements`: a provider and its developers."""

from typing import Any, ClassVar

from django.db.models import Count, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access import customers
from access.announcements import write
from access.announcements.models import Announcement, RecipientState
from access.models import CustomerSuspension
from accounts.errors import Refused
from billing.dunning import held
from rest.filtersets import AnnouncementFilters, CustomerSuspensionFilters
from rest.permissions import Need
from rest.serializers.base import Nothing
from rest.serializers.customers import (
    AnnouncementChange,
    AnnouncementInput,
    AnnouncementSerializer,
    CustomerSuspensionInput,
    CustomerSuspensionSerializer,
)
from rest.views.base import Changeable, Creatable, Listed, Made, Readable, Removable, Resource, act


class CustomerSuspensionViews(Listed, Readable, Creatable, Resource):
    """Customers whom a provider shut out. Making one suspends the customer at once; `lift` lets it in again."""

    model, noun, nouns, tag = CustomerSuspension, "suspension", "suspensions", "customers"
    serializer_class = CustomerSuspensionSerializer
    related: ClassVar = ("customer",)
    create_input = CustomerSuspensionInput
    action_inputs: ClassVar = {"lift": Nothing}
    filterset_class = CustomerSuspensionFilters
    ordering_fields = ("suspended_at",)
    search_fields = ("customer__name", "reason")
    lookup_value_regex = "[0-9]{1,18}"

    def make(self, data: dict[str, Any]) -> Made:
        provider = data.pop("organization", self.caller.organization)
        return customers.suspend_customer(provider=provider, actor=self.caller.user, **data)

    @act()
    def lift(self, request: Request, pk: str) -> Response:
        """Resume the customer: all its suspended subscriptions, but those that wait for a late payment."""
        found, _ = self.target()
        if found.lifted_at is not None:  # a newer one is not meant
            raise Refused("This suspension is over.", code="wrong_state")
        provider = found.organization
        late = held(customer=found.customer).filter(organization=provider)
        customers.resume_customer(
            provider=provider,
            customer=found.customer,
            actor=self.caller.user,
            but=list(late.values_list("subscription", flat=True)),
        )
        return self.answer(found)


class AnnouncementViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Mails of a provider to its developers. A draft can be changed; `send` puts it on its way, and then it stays."""

    model, noun, nouns, tag = Announcement, "announcement", "announcements", "customers"
    serializer_class = AnnouncementSerializer
    create_input, change_input = AnnouncementInput, AnnouncementChange
    action_inputs: ClassVar = dict.fromkeys(("test", "send", "retry"), Nothing)
    filterset_class = AnnouncementFilters
    ordering_fields = ("created_at", "queued_at")
    search_fields = ("subject", "text")
    write_need = Need.ADMINISTER

    def get_queryset(self) -> QuerySet[Any]:
        counts = {
            state.value: Count("recipients", filter=Q(recipients__state=state)) for state in RecipientState
        }
        return super().get_queryset().annotate(**counts)

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        return write.create_announcement(organization=organization, actor=self.caller.user, **data)

    def change(self, row: Announcement, data: dict[str, Any]) -> None:
        write.change_announcement(announcement=row, actor=self.caller.user, **data)

    def remove(self, row: Announcement) -> None:
        write.delete_announcement(announcement=row, actor=self.caller.user)

    @extend_schema(responses={204: None})
    @act()
    def test(self, request: Request, pk: str) -> Response:
        """Send it to yourself, as others will get it."""
        found, _ = self.target()
        write.send_test(announcement=found, actor=self.caller.user)
        return Response(status=204)

    @act()
    def send(self, request: Request, pk: str) -> Response:
        """Fix who gets it, and begin to send. It cannot be changed or taken back then."""
        found, _ = self.target()
        return self.answer(write.queue_announcement(announcement=found, actor=self.caller.user))

    @act()
    def retry(self, request: Request, pk: str) -> Response:
        """Try those again whom it did not reach."""
        found, _ = self.target()
        write.retry_failed(announcement=found, actor=self.caller.user)
        return self.answer(found)
