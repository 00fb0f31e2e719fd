"""Telling an organization's endpoints that something happened: an outbox in the caller's own transaction."""

import logging
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils.timezone import now

from accounts.webhooks.catalogue import EVENT_TYPES
from accounts.webhooks.models import WebhookDelivery, WebhookEndpoint, WebhookEvent

if TYPE_CHECKING:
    from accounts.models import Organization

logger = logging.getLogger(__name__)
Happening = tuple[str, str, dict[str, Any]]


def emit(organization: "Organization", event_type: str, data: dict[str, Any]) -> None:
    """Note an event for those endpoints of the organization that want it; sent once the transaction commits.

    `event_type` is a name of the catalogue (ValueError otherwise); `data` is JSON without secrets, ids of things by
    their noun, money as decimal text, moments in ISO 8601.
    """
    emit_many([(organization.pk, event_type, data)])


def emit_many(happenings: Iterable[Happening]) -> None:
    """The same for many at once, as (organization id, type, data). At most 3 queries."""
    happenings = list(happenings)
    for _, event_type, _ in happenings:
        if event_type not in EVENT_TYPES:
            raise ValueError(f"{event_type} is not in the catalogue of events")
    wanting: dict[str, list[WebhookEndpoint]] = {}
    concerned = {organization_id for organization_id, _, _ in happenings}
    for endpoint in WebhookEndpoint.objects.filter(organization__in=concerned, enabled=True):
        wanting.setdefault(endpoint.organization_id, []).append(endpoint)
    deliveries = []
    for organization_id, event_type, data in happenings:
        endpoints = wanting.get(organization_id, [])
        chosen = [each for each in endpoints if not each.event_types or event_type in each.event_types]
        if chosen:
            event = WebhookEvent(organization_id=organization_id, type=event_type, data=data)
            deliveries += [_delivery(event, each) for each in chosen]
    _write(deliveries)


def emit_to(endpoint: WebhookEndpoint, event_type: str, data: dict[str, Any]) -> WebhookDelivery:
    """Note an event for one endpoint, whatever it chose."""
    event = WebhookEvent(organization_id=endpoint.organization_id, type=event_type, data=data)
    delivery = _delivery(event, endpoint)
    _write([delivery])
    return delivery


def _delivery(event: WebhookEvent, endpoint: WebhookEndpoint) -> WebhookDelivery:
    return WebhookDelivery(
        organization_id=event.organization_id, event=event, endpoint=endpoint, next_try_at=now()
    )


def _write(deliveries: list[WebhookDelivery]) -> None:
    if deliveries:
        WebhookEvent.objects.bulk_create(list({each.event.pk: each.event for each in deliveries}.values()))
        WebhookDelivery.objects.bulk_create(deliveries)
        send_after_commit([each.pk for each in deliveries])


def send_after_commit(delivery_ids: list[str]) -> None:
    """Have workers send these once the transaction commits; what the broker does not take, the sweep finds."""
    transaction.on_commit(partial(_enqueue, delivery_ids))


def _enqueue(delivery_ids: list[str]) -> None:
    from accounts.tasks import deliver_webhook  # noqa: PLC0415 -- tasks import this room

    try:
        for each in delivery_ids:
            deliver_webhook.delay(each)
    except Exception as error:  # noqa: BLE001 -- whatever ails the broker, the sweep sends them
        logger.warning("The broker cannot be reached (%s); webhooks are sent by the sweep.", error)
