"""`webhooks`, `webhook-deliveries`."""

from datetime import timedelta
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import WebhookDelivery, WebhookEndpoint
from accounts.webhooks import endpoints
from rest.filtersets import WebhookDeliveryFilters, WebhookFilters
from rest.permissions import Need
from rest.serializers.base import Nothing
from rest.serializers.webhooks import (
    MadeWebhookSerializer,
    RotateSecretInput,
    WebhookChange,
    WebhookDeliverySerializer,
    WebhookInput,
    WebhookSerializer,
)
from rest.views.base import Changeable, Creatable, Listed, Made, Readable, Removable, Resource, act


class WebhookViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Endpoints that events are sent to, signed by the Standard Webhooks rules. The secret is shown once."""

    model, noun, nouns, tag = WebhookEndpoint, "webhook", "webhooks", "webhooks"
    serializer_class = WebhookSerializer
    create_input, change_input = WebhookInput, WebhookChange
    action_inputs: ClassVar = {"rotate_secret": RotateSecretInput, "test": Nothing}
    action_outputs: ClassVar = {
        "create": MadeWebhookSerializer,
        "rotate_secret": MadeWebhookSerializer,
        "test": WebhookDeliverySerializer,
    }
    filterset_class = WebhookFilters
    ordering_fields = ("created_at",)
    search_fields = ("url", "description")
    read_need = write_need = Need.ADMINISTER

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        endpoint, secret = endpoints.create_endpoint(
            organization=organization, actor=self.caller.user, **data
        )
        return endpoint, {"secret": secret}

    def change(self, row: WebhookEndpoint, data: dict[str, Any]) -> None:
        endpoints.change_endpoint(endpoint=row, actor=self.caller.user, **data)

    def remove(self, row: WebhookEndpoint) -> None:
        endpoints.delete_endpoint(endpoint=row, actor=self.caller.user)

    @act()
    def rotate_secret(self, request: Request, pk: str) -> Response:
        """Give it a new secret, shown this once; the old one signs beside it for a while."""
        endpoint, data = self.target()
        endpoint, secret = endpoints.rotate_secret(
            endpoint=endpoint, actor=self.caller.user, overlap=timedelta(seconds=data["overlap_seconds"])
        )
        return self.answer(endpoint, secret=secret)

    @act()
    def test(self, request: Request, pk: str) -> Response:
        """Send the event `webhook.test`, and answer with its delivery."""
        endpoint, _ = self.target()
        delivery = endpoints.send_test(endpoint=endpoint, actor=self.caller.user)
        return Response(WebhookDeliverySerializer(delivery).data)


class WebhookDeliveryViews(Listed, Readable, Resource):
    """Events on their way to endpoints, with every attempt. Kept for 30 days."""

    model, noun, nouns, tag = WebhookDelivery, "webhook delivery", "webhook deliveries", "webhooks"
    serializer_class = WebhookDeliverySerializer
    related = ("event", "endpoint")
    action_inputs: ClassVar = {"resend": Nothing}
    filterset_class = WebhookDeliveryFilters
    ordering_fields = ("created_at", "next_try_at")
    read_need = write_need = Need.ADMINISTER

    @act()
    def resend(self, request: Request, pk: str) -> Response:
        """Send the event once more, now, under the same id; all tries begin anew."""
        delivery, _ = self.target()
        return self.answer(endpoints.resend(delivery=delivery, actor=self.caller.user))
