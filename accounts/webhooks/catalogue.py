"""Every kind of event that can be sent, with an example of its data. docs/webhooks.md tells the same."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class EventType:
    """`name` as endpoints choose it; `meaning` for people; `example` of `data`. Money is decimal text."""

    name: str
    meaning: str
    example: dict[str, Any]


_BUDGET = {
    "budget": "b1b2c3d4e5",
    "name": "Weather app",
    "scope": "application",
    "application": "p1b2c3d4e5",
    "subscription": None,
    "period": "2026-11",
    "currency": "USD",
    "amount": "100.00",
    "spent": "80.40",
}
_PAYMENT = {
    "payment": "y1b2c3d4e5",
    "invoice": "i1b2c3d4e5",
    "provider": "o1b2c3d4e5",
    "customer": "o2b2c3d4e5",
    "currency": "USD",
    "amount": "25.00",
    "error": "",
}
_LATE = {
    "invoice": "i1b2c3d4e5",
    "number": "2026-000012",
    "provider": "o1b2c3d4e5",
    "customer": "o2b2c3d4e5",
    "currency": "USD",
    "amount_due": "25.00",
    "due_at": "2026-11-15T00:00:00+00:00",
    "days_late": 7,
}

_ALERT = {
    "alert": "a1b2c3d4e5",
    "name": "Errors of Orders",
    "metric": "share_5xx",
    "scope": "api",
    "about": "q1b2c3d4e5",
    "below": False,
    "threshold": "5",
    "minutes": 5,
    "value": 12.5,
    "at": "2026-11-20T14:05:00+00:00",
}

_MEMBER = {"member": 17, "email": "bob@example.com", "role": "member", "old_role": None}

TEST_EVENT = "webhook.test"

_ALL = (
    EventType(TEST_EVENT, "Somebody pressed “Send test event”.", {"endpoint": "w1b2c3d4e5"}),
    EventType(
        "budget.threshold_reached",
        "The month's costs reached a chosen part of a budget. Once for each part and month.",
        _BUDGET | {"percent": 80},
    ),
    EventType(
        "spend_cap.reached",
        "The month's costs reached a spend cap: calls are refused until the cap is raised or the month is over. "
        "Where the payer of a billing group set it, a member is told without its name and money (null).",
        _BUDGET | {"spent": "100.00", "stopped": ["s1b2c3d4e5"]},
    ),
    EventType(
        "spend_cap.lifted",
        "Calls are let in again: a new month began, the cap was raised or taken away, or credits came.",
        {"resumed": ["s1b2c3d4e5"]},
    ),
    EventType("payment.succeeded", "A payment came in. Provider and customer are told.", _PAYMENT),
    EventType(
        "payment.failed",
        "A payment failed: its card or bank refused it, or nobody paid in time. Provider and customer are told.",
        _PAYMENT | {"error": "Your card was declined."},
    ),
    EventType("dunning.warning", "An invoice is overdue; a mail tells the customer.", _LATE),
    EventType(
        "dunning.suspension",
        "An invoice is overdue beyond the grace: the customer's subscriptions with the provider are suspended.",
        _LATE | {"days_late": 21},
    ),
    EventType(
        "dunning.resumption",
        "What was late is paid: the subscriptions work again.",
        _LATE | {"amount_due": "0.00", "days_late": 0},
    ),
    EventType(
        "credit.used_up",
        "Prepaid credit is used up: calls are refused until there is more.",
        {"provider": "g1b2c3d4e5", "stopped": ["s1b2c3d4e5"]},
    ),
    EventType(
        "quota.threshold_reached",
        "A chosen part of a subscription's quota is used. Once for each part and quota period.",
        {
            "subscription": "s1b2c3d4e5",
            "application": "p1b2c3d4e5",
            "plan": "f1b2c3d4e5",
            "key": None,
            "percent": 80,
            "used": 800,
            "limit": 1000,
            "starts_at": "2026-11-01T00:00:00+00:00",
            "ends_at": "2026-12-01T00:00:00+00:00",
        },
    ),
    EventType(
        "usage_alert.crossed",
        "A number of your traffic crossed an alert's threshold. Once a crossing.",
        _ALERT,
    ),
    EventType("usage_alert.resolved", "What an alert told of is over.", _ALERT | {"value": 0.5}),
    EventType(
        "member.invited",
        "Somebody was invited to become a member of your organization.",
        {"invitation": "v1b2c3d4e5", "email": "bob@example.com", "role": "member"},
    ),
    EventType("member.added", "Somebody became a member of your organization.", _MEMBER),
    EventType(
        "member.changed", "A member has another role.", _MEMBER | {"role": "admin", "old_role": "member"}
    ),
    EventType(
        "member.removed", "A member left or was removed.", _MEMBER | {"role": None, "old_role": "member"}
    ),
)
EVENT_TYPES: dict[str, EventType] = {each.name: each for each in _ALL}
