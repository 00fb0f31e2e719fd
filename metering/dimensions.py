"""Who is behind the ids of a usage row: provider, API and version of a stage, developer of a subscription."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from operator import itemgetter
from typing import Any

from django.db.models import Model

from access.models import ApiKey, Subscription
from accounts.any_of import any_of
from accounts.ids import LENGTH
from apis.models import Stage
from metering.records import DERIVED, SUMS, Row

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
_AHEAD, _LATE = AHEAD.total_seconds(), LATE.total_seconds()
_named = itemgetter("stage", "subscription", "key")
_odd = itemgetter("operation", "verdict", "minute")
# in the order of UsageRecord.DIMENSIONS
_dimensions = itemgetter(
    "subscription", "minute", "key", "stage", "operation", "status_class", "verdict", "canary"
)
_derived = itemgetter(*DERIVED)
_sums = itemgetter(*SUMS, "latency_counts")

Named = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Directory:
    """The stages, subscriptions and keys that some rows name, looked up with three queries."""

    stages: dict[str, dict[str, str]]
    subscriptions: dict[str, dict[str, str]]
    keys: dict[str, dict[str, str]]
    # what was looked up before: many rows name the same
    _found: dict[Named, tuple[str, ...]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, rows: Iterable[dict[str, Any]]) -> "Directory":
        named = zip(*set(map(_named, rows)), strict=True)
        # other texts, of a node that sends nonsense, are no ids; they stay unknown
        ids = [{pk for pk in column if pk.isalnum()} for column in named] or [set(), set(), set()]
        stages = _known(Stage, ids[0], "organization_id", "version__api_id", "version_id")
        subscriptions = _known(Subscription, ids[1], "organization_id", "application_id")
        keys = _known(ApiKey, ids[2], "organization_id", "application_id")
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
        named = _named(row)
        if named not in self._found:
            stage, subscription, key = named
            if stage not in self.stages:
                return f"unknown stage {stage!r}"
            if subscription and subscription not in self.subscriptions:
                return f"unknown subscription {subscription!r}"
            if key and key not in self.keys:
                return f"unknown key {key!r}"
            self._find(named)
        operation, verdict, minute = _odd(row)
        if len(operation) > LENGTH:
            return f"unknown operation {operation!r}"
        if verdict and not VERDICT.fullmatch(verdict):
            return f"{verdict!r} is not a verdict"
        return "" if received_at - _LATE <= minute <= received_at + _AHEAD else _misdated(minute, received_at)

    def complete(self, row: dict[str, Any]) -> Row:
        """Make the row a record: with the ids of provider, developer, application, API and version."""
        named = _named(row)
        try:
            sums = _sums(row)
        except KeyError:
            row = with_defaults(row)
            sums = _sums(row)
        return (*_dimensions(row), *(self._found.get(named) or self._find(named)), *sums)

    def _find(self, named: Named) -> tuple[str, ...]:
        stage, subscription, key = named
        ids = self.stages[stage]
        ids = ids | (self.subscriptions.get(subscription) or self.keys.get(key) or _NOBODY)
        found = self._found[named] = _derived(ids)
        return found


def _known(model: type[Model], ids: set[str], *columns: str) -> Iterable[tuple[str, ...]]:
    """Return (id, columns) of those that are there; no query where nothing is asked for."""
    rows = model._default_manager.filter(any_of("pk", ids)).values_list("pk", *columns)
    return rows if ids else ()


def with_defaults(row: dict[str, Any]) -> dict[str, Any]:
    """Give a row of an older agent what it lacks."""
    return {name: row.get("calls") if default is None else default for name, default in NEWER.items()} | row


def _misdated(minute: int, received_at: float) -> str:
    if minute > received_at:
        return "its minute lies in the future; the node's clock is wrong"
    return f"its minute is more than {LATE.days} days past; such late counts are not taken"
