"""Who is behind the ids of a usage row: provider, API and version of a stage, developer of a subscription."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from access.models import ApiKey, Subscription
from accounts.ids import LENGTH
from apis.models import Stage

# a node's clock may run ahead this far
AHEAD = timedelta(hours=1)
# what a batch that was kept before an update lacks
NEWER: dict[str, Any] = {"canary": False, "cache_hits": 0, "cache_misses": 0}
_VERDICT = re.compile(r"(?:[A-Z][A-Z0-9_]{0,39})?")


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

    def objection(self, row: dict[str, Any], received_at: datetime) -> str:
        """Say why a row cannot be used; '' = it can."""
        verdict, latest = row["verdict"], (received_at + AHEAD).timestamp()
        objections = (
            (row["stage"] not in self.stages, f"unknown stage {row['stage']!r}"),
            (
                _unknown(row["subscription"], self.subscriptions),
                f"unknown subscription {row['subscription']!r}",
            ),
            (_unknown(row["key"], self.keys), f"unknown key {row['key']!r}"),
            (len(row["operation"]) > LENGTH, f"unknown operation {row['operation']!r}"),
            (not _VERDICT.fullmatch(verdict), f"{verdict!r} is not a verdict"),
            (row["minute"] > latest, "its minute lies in the future; the node's clock is wrong"),
        )
        return next((reason for holds, reason in objections if holds), "")

    def complete(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the row as a record: ids of provider, API, version, developer and application added."""
        nobody = {"developer_id": "", "application_id": ""}
        developer = self.subscriptions.get(row["subscription"]) or self.keys.get(row["key"], nobody)
        return {
            "at": row["minute"],
            **self.stages[row["stage"]],
            **developer,
            "subscription_id": row["subscription"],
            "key_id": row["key"],
            "stage_id": row["stage"],
            "operation_id": row["operation"],
            **{
                name: row.get(name, NEWER.get(name))
                for name in (
                    "status_class",
                    "verdict",
                    "calls",
                    *NEWER,
                    "bytes_out",
                    "bytes_in",
                    "latency_ms",
                    "integration_ms",
                    "latency_counts",
                )
            },
        }


def _unknown(name: str, known: dict[str, Any]) -> bool:
    return name != "" and name not in known
