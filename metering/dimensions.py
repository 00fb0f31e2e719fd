"""Who is behind the ids of a usage row: provider, API and version of a stage, developer of a subscription."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from access.models import ApiKey, Subscription
from accounts.ids import LENGTH
from apis.models import Stage

# a node's clock may run ahead this far
AHEAD = timedelta(hours=1)
# Later counts are not taken: their bill is closed, and a batch that old may have been counted and forgotten since.
LATE = timedelta(days=35)
# what rows of older agents lack, and what it is then; None = as many as calls
NEWER: dict[str, Any] = {
    "canary": False,
    "cache_hits": 0,
    "cache_misses": 0,
    "http_requests": None,
    "stream_requests": None,
}
VERDICT = re.compile(r"[A-Z][A-Z0-9_]{0,39}")
_NOBODY = {"developer_id": "", "application_id": ""}


@dataclass(frozen=True, slots=True)
class Directory:
    """The stages, subscriptions and keys that some rows name, looked up with three queries."""

    stages: dict[str, dict[str, str]]
    subscriptions: dict[str, dict[str, str]]
    keys: dict[str, dict[str, str]]

    @classmethod
    def of(cls, rows: Iterable[dict[str, Any]]) -> "Directory":
        named: dict[str, set[str]] = {"stage": set(), "subscription": set(), "key": set()}
        for row in rows:
            for kind, ids in named.items():
                ids.add(row[kind])
        stages = Stage.objects.filter(pk__in=named["stage"]).values_list(
            "pk", "organization_id", "version__api_id", "version_id"
        )
        subscriptions = Subscription.objects.filter(pk__in=named["subscription"] - {""}).values_list(
            "pk", "organization_id", "application_id"
        )
        keys = ApiKey.objects.filter(pk__in=named["key"] - {""}).values_list(
            "pk", "organization_id", "application_id"
        )
        return cls(
            {
                pk: {"organization_id": provider, "api_id": api, "version_id": version}
                for pk, provider, api, version in stages
            },
            {pk: {"developer_id": who, "application_id": what} for pk, who, what in subscriptions},
            {pk: {"developer_id": who, "application_id": what} for pk, who, what in keys},
        )

    def objection(self, row: dict[str, Any], received_at: float) -> str:
        """Say why a row of a batch that came at `received_at` (Unix seconds) cannot be used; '' = it can."""
        stage, subscription, key = row["stage"], row["subscription"], row["key"]
        if stage not in self.stages:
            return f"unknown stage {stage!r}"
        if subscription and subscription not in self.subscriptions:
            return f"unknown subscription {subscription!r}"
        if key and key not in self.keys:
            return f"unknown key {key!r}"
        return _oddity(row) or _misdated(row["minute"], received_at)

    def complete(self, row: dict[str, Any]) -> dict[str, Any]:
        """Make the row a record: ids of provider, API, version, developer and application are added to it."""
        for name, default in NEWER.items():
            row.setdefault(name, row["calls"] if default is None else default)
        subscription, key = row["subscription"], row["key"]
        row.update(self.stages[row["stage"]])
        row.update(self.subscriptions.get(subscription) or self.keys.get(key) or _NOBODY)
        row["at"] = row["minute"]
        row["subscription_id"], row["key_id"] = subscription, key
        row["stage_id"], row["operation_id"] = row["stage"], row["operation"]
        return row


def _oddity(row: dict[str, Any]) -> str:
    if len(row["operation"]) > LENGTH:
        return f"unknown operation {row['operation']!r}"
    verdict = row["verdict"]
    if verdict and not VERDICT.fullmatch(verdict):
        return f"{verdict!r} is not a verdict"
    return ""


def _misdated(minute: int, received_at: float) -> str:
    if minute > received_at + AHEAD.total_seconds():
        return "its minute lies in the future; the node's clock is wrong"
    if minute < received_at - LATE.total_seconds():
        return f"its minute is more than {LATE.days} days past; such late counts are not taken"
    return ""
