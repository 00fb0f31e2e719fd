"""Endpoints of webhooks: made, changed, given a new secret, tried out."""

import base64
import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.encryption import encrypt
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import Changes, assign, check_fields, locked
from accounts.webhooks.addresses import check_url
from accounts.webhooks.catalogue import EVENT_TYPES, TEST_EVENT
from accounts.webhooks.emit import emit_to, send_after_commit
from accounts.webhooks.models import DeliveryState, WebhookDelivery, WebhookEndpoint

MOST = 20  # endpoints of an organization
OVERLAP = timedelta(hours=24)
LONGEST_OVERLAP = timedelta(days=7)
SECRET_BYTES = 32


@transaction.atomic
def create_endpoint(
    *,
    organization: Organization,
    url: str,
    actor: User | None,
    description: str = "",
    event_types: Sequence[str] = (),
) -> tuple[WebhookEndpoint, str]:
    """Make an endpoint; returns it and the secret `whsec_…` that signs what is sent to it."""
    locked(organization)
    if organization.webhook_endpoints.count() >= MOST:
        raise Refused(f"An organization has at most {MOST} webhooks; delete one first.", code="too_many")
    secret = _new_secret()
    endpoint = WebhookEndpoint(
        organization=organization,
        url=check_url(url),
        description=description.strip(),
        event_types=_known(event_types),
        sealed_secret=encrypt(secret),
    )
    check_fields(endpoint)
    endpoint.save(force_insert=True)
    _record(endpoint, actor, "webhook.created", f"Made the webhook {endpoint} to {endpoint.url}.")
    return endpoint, secret


@transaction.atomic
def change_endpoint(*, endpoint: WebhookEndpoint, actor: User | None, **fields: Any) -> WebhookEndpoint:
    """Change `url`, `description`, `event_types` or `enabled`. Switched on again, it gets what waits."""
    endpoint = locked(endpoint)
    if "url" in fields:
        fields["url"] = check_url(fields["url"])
    if "event_types" in fields:
        fields["event_types"] = _known(fields["event_types"])
    changes = assign(endpoint, fields, allowed=("url", "description", "event_types", "enabled"))
    if not changes:
        return endpoint
    check_fields(endpoint)
    if changes.get("enabled") == [False, True]:
        # a fresh start: what made it fail is mended, they say
        endpoint.failing_since, endpoint.disabled_reason = None, ""
        waiting = endpoint.deliveries.filter(state=DeliveryState.PENDING)
        waiting.update(next_try_at=now())
    endpoint.save(update_fields=[*changes, "failing_since", "disabled_reason"])
    _record(endpoint, actor, "webhook.changed", f"Changed {', '.join(changes)} of {endpoint}.", changes)
    return endpoint


@transaction.atomic
def delete_endpoint(*, endpoint: WebhookEndpoint, actor: User | None) -> None:
    """Delete an endpoint with what waits for it and what was noted of its deliveries."""
    endpoint = locked(endpoint)
    _record(endpoint, actor, "webhook.deleted", f"Deleted the webhook {endpoint} to {endpoint.url}.")
    endpoint.delete()


@transaction.atomic
def rotate_secret(
    *, endpoint: WebhookEndpoint, actor: User | None, overlap: timedelta = OVERLAP
) -> tuple[WebhookEndpoint, str]:
    """Give it a new secret; for `overlap` (0 to 7 days) the old one signs, too. Returns the new one."""
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        raise Refused("The old secret can go on for up to 7 days.", field="overlap_seconds")
    endpoint = locked(endpoint)
    secret = _new_secret()
    endpoint.sealed_old_secret = endpoint.sealed_secret if overlap else ""
    endpoint.old_secret_until = now() + overlap if overlap else None
    endpoint.sealed_secret = encrypt(secret)
    endpoint.save(update_fields=["sealed_secret", "sealed_old_secret", "old_secret_until"])
    _record(endpoint, actor, "webhook.secret_rotated", f"Gave the webhook {endpoint} a new secret.")
    return endpoint, secret


@transaction.atomic
def send_test(*, endpoint: WebhookEndpoint, actor: User | None) -> WebhookDelivery:
    """Send the event `webhook.test`, whatever the endpoint chose."""
    _refuse_disabled(endpoint)
    _record(endpoint, actor, "webhook.tested", f"Sent a test event to the webhook {endpoint}.")
    return emit_to(endpoint, TEST_EVENT, {"endpoint": endpoint.pk})


@transaction.atomic
def resend(*, delivery: WebhookDelivery, actor: User | None) -> WebhookDelivery:
    """Send an event once more, now, under the same id; all tries begin anew."""
    delivery = locked(delivery)
    _refuse_disabled(delivery.endpoint)
    delivery.state, delivery.tries, delivery.next_try_at = DeliveryState.PENDING, 0, now()
    delivery.save(update_fields=["state", "tries", "next_try_at"])
    _record(delivery.endpoint, actor, "webhook.resent", f"Sent {delivery.event} again.")
    send_after_commit([delivery.pk])
    return delivery


def _refuse_disabled(endpoint: WebhookEndpoint) -> None:
    if not endpoint.enabled:
        raise Refused("The webhook is switched off; switch it on first.", code="wrong_state")


def _new_secret() -> str:
    """Return a secret as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _known(event_types: Sequence[str]) -> list[str]:
    for each in event_types:
        if each not in EVENT_TYPES:
            raise Refused(f"{each} is no event; choose of {', '.join(EVENT_TYPES)}.", field="event_types")
    return sorted(set(event_types))


def _record(
    endpoint: WebhookEndpoint, actor: User | None, action: str, summary: str, changes: Changes | None = None
) -> None:
    record(
        organization=endpoint.organization,
        actor=actor,
        action=action,
        target=endpoint,
        summary=summary,
        changes=changes,
    )
