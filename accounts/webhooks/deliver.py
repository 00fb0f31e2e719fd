"""Deliveries: what is due is claimed, sent, and noted; what fails is tried again, later and later."""

import random
import time
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.timezone import now

from accounts.audit import record
from accounts.mail import mail_organization
from accounts.portal_address import portal_url
from accounts.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint, WebhookEvent
from accounts.webhooks.send import Outcome, send

# seconds between the attempts, as the Standard Webhooks specification suggests: about three days in all
WAITS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
JITTER = 0.1
# a worker that took one and was killed is given up after this long
CLAIM = timedelta(seconds=60)
MOST_ATTEMPTS_KEPT = 20
# of one endpoint at a time, in a sweep; of one that fails, a single one
AT_ONCE = 10
SWEEP = 500


def due(*, at: datetime | None = None) -> list[str]:
    """Return the ids of deliveries to send now, few of each endpoint. One query."""
    at = at or now()
    rows = WebhookDelivery.objects.filter(
        state=DeliveryState.PENDING, next_try_at__lte=at, endpoint__enabled=True
    )
    found: list[str] = []
    taken: Counter[str] = Counter()
    values = rows.order_by("next_try_at").values_list("pk", "endpoint_id", "endpoint__failing_since")
    for pk, endpoint_id, failing_since in values[:SWEEP]:
        if taken[endpoint_id] < (1 if failing_since else AT_ONCE):
            taken[endpoint_id] += 1
            found.append(pk)
    return found


def deliver(*, delivery_id: str, at: datetime | None = None) -> Outcome | None:
    """Try one delivery that is due; None = somebody else has it, or it is not due (any more)."""
    at = at or now()
    # no join: of a row that another worker had locked, PostgreSQL looks again at its own columns, not at joined ones
    claimed = WebhookDelivery.objects.filter(
        pk=delivery_id,
        state=DeliveryState.PENDING,
        next_try_at__lte=at,
        endpoint__in=WebhookEndpoint.objects.filter(enabled=True),
    ).update(next_try_at=at + CLAIM, tries=F("tries") + 1)
    if not claimed:
        return None
    delivery = WebhookDelivery.objects.select_related("event", "endpoint").get(pk=delivery_id)
    begun = time.monotonic()
    outcome = send(delivery.event, delivery.endpoint)
    _note(delivery, outcome, at, int((time.monotonic() - begun) * 1000))
    return outcome


@transaction.atomic
def _note(delivery: WebhookDelivery, outcome: Outcome, at: datetime, milliseconds: int) -> None:
    # the endpoint first, as those who change it do
    endpoint = WebhookEndpoint.objects.select_for_update().get(pk=delivery.endpoint_id)
    delivery = WebhookDelivery.objects.select_for_update().get(pk=delivery.pk)
    attempt = {
        "at": at.isoformat(),
        "status": outcome.status,
        "ms": milliseconds,
        "problem": outcome.problem,
        "response": outcome.response,
    }
    delivery.attempts = [*delivery.attempts, attempt][-MOST_ATTEMPTS_KEPT:]
    if outcome.delivered:
        delivery.state, delivery.next_try_at = DeliveryState.DELIVERED, None
    elif delivery.tries > len(WAITS):
        delivery.state, delivery.next_try_at = DeliveryState.FAILED, None
    else:
        delivery.next_try_at = at + _wait(delivery.tries)
    delivery.save(update_fields=["attempts", "state", "next_try_at"])
    _judge(endpoint, outcome, at)


def _wait(tries: int) -> timedelta:
    seconds = WAITS[tries - 1]
    # not all at the same moment, when a receiver comes back
    return timedelta(seconds=seconds * (1 + random.uniform(0, JITTER)))  # noqa: S311 -- no secret


def _judge(endpoint: WebhookEndpoint, outcome: Outcome, at: datetime) -> None:
    """Note whether the endpoint works; switch it off when it has failed for long, or said that it is gone."""
    if outcome.delivered:
        if endpoint.failing_since:
            endpoint.failing_since = None
            endpoint.save(update_fields=["failing_since"])
        return
    if endpoint.failing_since is None:
        endpoint.failing_since = at
        endpoint.save(update_fields=["failing_since"])
    days = settings.WEBHOOK_DISABLE_AFTER_DAYS
    if outcome.gone:
        _disable(endpoint, "The receiver answered 410 Gone.")
    elif endpoint.failing_since <= at - timedelta(days=days):
        _disable(endpoint, f"Every delivery failed for {days} days. Last: {outcome.problem}")


def _disable(endpoint: WebhookEndpoint, reason: str) -> None:
    if not endpoint.enabled:
        return
    endpoint.enabled, endpoint.disabled_reason = False, reason[:200]
    endpoint.save(update_fields=["enabled", "disabled_reason"])
    record(
        organization=endpoint.organization,
        actor=None,
        action="webhook.disabled",
        target=endpoint,
        summary=f"Switched the webhook {endpoint} off. {reason}",
    )
    mail_organization(
        endpoint.organization,
        subject=f"The webhook {endpoint} is switched off",
        text=f"{reason}\n\nMend the receiver at {endpoint.url}, then switch the webhook on again: "
        f"{portal_url()}/console/webhooks/{endpoint.pk}/\n"
        "What waits to be sent is sent then.",
    )


def forget_old(*, at: datetime | None = None) -> int:
    """Delete events (with their deliveries) older than WEBHOOK_KEEP_DAYS; returns how many."""
    before = (at or now()) - timedelta(days=settings.WEBHOOK_KEEP_DAYS)
    return WebhookEvent.objects.filter(at__lt=before).delete()[1].get("accounts.WebhookEvent", 0)
