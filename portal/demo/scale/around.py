"""What else the pages of the demo at scale show: webhooks with deliveries, tokens, credit notes, what alerts told.

The webhooks lead to a port of this machine at which nobody listens, so that nothing is ever sent to a stranger.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from accounts.models import Organization, User, WebhookDelivery, WebhookEndpoint, WebhookEvent
from accounts.tokens import create_token
from accounts.webhooks.catalogue import EVENT_TYPES
from accounts.webhooks.endpoints import create_endpoint
from accounts.webhooks.models import DeliveryState
from billing.credit_notes import credit_invoice
from billing.models import Budget, BudgetAlert, Invoice
from metering.alerts import create_alert
from metering.models import AlertMetric, UsageAlert, UsageAlertNotice
from portal.demo.scale.provider import BACKEND

_DELIVERIES = 120
_CREDITED = 6
_TOKENS = (("Deployment pipeline", False), ("Terraform", False), ("Monitoring", True), ("Usage export", True))
# name, metric, threshold
_ALERTS = (
    ("Many errors of backends", AlertMetric.SHARE_5XX, 2),
    ("Slow answers", AlertMetric.P99, 2_000),
    ("Unusually many calls", AlertMetric.CALLS, 40_000),
)
_REASONS = ("An outage of two hours", "Billed by mistake", "Goodwill after a migration")
_PROBLEM = "The receiver answered 503."


@dataclass(frozen=True, slots=True)
class _Person:
    """An organization and who acts for it."""

    organization: Organization
    user: User


def make_around(
    *,
    provider: Organization,
    owner: User,
    customer: Organization,
    developer: User,
    at: datetime,
    draw: Random,
) -> None:
    """Make it for the provider and for its largest customer."""
    for each in (_Person(provider, owner), _Person(customer, developer)):
        for name, read_only in _TOKENS:
            create_token(
                organization=each.organization,
                user=each.user,
                name=name,
                read_only=read_only,
                actor=each.user,
            )
        _webhooks(each, at, draw)
    _credit(provider, customer, owner, draw)
    _alerts(provider, owner, at, draw)
    BudgetAlert.objects.bulk_create(_reached(customer, at))


def _webhooks(whose: _Person, at: datetime, draw: Random) -> None:
    names = (("Bookkeeping", "books"), ("Team chat", "chat"))
    endpoints = [
        create_endpoint(
            organization=whose.organization, url=f"{BACKEND}/{path}", description=name, actor=whose.user
        )[0]
        for name, path in names
    ]
    events = [_event(whose.organization, at - timedelta(hours=5 * n + 1), draw) for n in range(_DELIVERIES)]
    WebhookEvent.objects.bulk_create(events)
    deliveries = [_delivery(event, draw.choice(endpoints), draw) for event in events]
    WebhookDelivery.objects.bulk_create(deliveries)


def _event(organization: Organization, at: datetime, draw: Random) -> WebhookEvent:
    kind = draw.choice(list(EVENT_TYPES.values()))
    return WebhookEvent(organization=organization, type=kind.name, data=kind.example, at=at)


def _delivery(event: WebhookEvent, endpoint: WebhookEndpoint, draw: Random) -> WebhookDelivery:
    """Nearly all arrived, some of them at the second try; a few never did."""
    failed = draw.choices((0, 1, 10), (90, 7, 3))[0]
    attempts = [_attempt(event.at + timedelta(minutes=n), 503, draw) for n in range(failed)]
    if failed < 10:
        attempts.append(_attempt(event.at + timedelta(minutes=failed), 200, draw))
    return WebhookDelivery(
        organization=event.organization,
        event=event,
        endpoint=endpoint,
        state=DeliveryState.DELIVERED if failed < 10 else DeliveryState.FAILED,
        tries=len(attempts),
        attempts=attempts,
        created_at=event.at,
    )


def _attempt(at: datetime, status: int, draw: Random) -> dict[str, Any]:
    problem = "" if status == 200 else _PROBLEM
    return {
        "at": at.isoformat(),
        "status": status,
        "ms": draw.randrange(20, 400),
        "problem": problem,
        "response": "",
    }


def _credit(provider: Organization, customer: Organization, owner: User, draw: Random) -> None:
    """Take a part of some invoices back, the largest customer's newest among them."""
    billed = Invoice.objects.filter(organization=provider, total__gt=5).order_by("-number")
    found = [*billed.filter(customer=customer)[:1], *billed.exclude(customer=customer)[: _CREDITED - 1]]
    for invoice in found:
        credit_invoice(
            invoice=invoice, reason=draw.choice(_REASONS), amount=Decimal(draw.randrange(1, 5)), actor=owner
        )


def _alerts(provider: Organization, owner: User, at: datetime, draw: Random) -> None:
    for name, metric, threshold in _ALERTS:
        alert = create_alert(
            organization=provider, name=name, metric=metric, threshold=threshold, mails=False, actor=owner
        )
        UsageAlertNotice.objects.bulk_create(_notices(alert, threshold, at, draw))


def _notices(alert: UsageAlert, threshold: int, at: datetime, draw: Random) -> Iterator[UsageAlertNotice]:
    """Crossed some times in the last weeks, each for some minutes."""
    for days in sorted(draw.sample(range(1, 40), 5), reverse=True):
        crossed = at - timedelta(days=days, minutes=draw.randrange(600))
        for resolved, factor in ((False, 1.6), (True, 0.5)):
            yield UsageAlertNotice(
                organization=alert.organization,
                alert=alert,
                resolved=resolved,
                value=round(threshold * factor * draw.uniform(0.7, 1.3), 1),
                threshold=threshold,
                at=crossed + timedelta(minutes=draw.randrange(5, 40) * resolved),
            )


def _reached(customer: Organization, at: datetime) -> Iterator[BudgetAlert]:
    """What was told of its budgets in the months before this one."""
    for budget in Budget.objects.filter(organization=customer).order_by("name")[:4]:
        for months in (1, 2, 3):
            moment = (at.replace(day=1) - timedelta(days=30 * months)).replace(day=20)
            for percent in (50, 80):
                yield BudgetAlert(
                    organization=customer,
                    budget=budget,
                    period=f"{moment:%Y-%m}",
                    percent=percent,
                    amount=budget.amount,
                    spent=budget.amount * percent / 100,
                    at=moment + timedelta(days=percent // 20),
                )
