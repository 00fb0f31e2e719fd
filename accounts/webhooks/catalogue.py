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
        "The month's costs reached a spend cap: calls are refused until the cap is raised or the month is over.",
        _BUDGET | {"spent": "100.00", "stopped": ["s1b2c3d4e5"]},
    ),
    EventType(
        "spend_cap.lifted",
        "Calls are let in again: a new month began, or the cap was raised or taken away.",
        {"resumed": ["s1b2c3d4e5"]},
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
)
EVENT_TYPES: dict[str, EventType] = {each.name: each for each in _ALL}
