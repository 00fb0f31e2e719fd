"""The records and seals that an invoice is made from, as rows of its bundle."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Q

from metering.chain.content import CALLS, METERS, Kind, as_texts, kind_of, record_hash
from metering.models import MeterRecord, UsageHour, UsageMark, UsageMinute, UsageSeal
from metering.pieces import ceiling, floor

HEADER = ("kind", "seal", "at", "developer_id", *CALLS.columns)
METER_HEADER = ("kind", "seal", "developer_id", *METERS.columns)
_HOUR = timedelta(hours=1)
# nothing was counted before
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

Row = dict[str, str]


@dataclass(slots=True)
class Extent:
    """Which records an invoice is made from: subscriptions, their developers, hours, and hours that are cut."""

    subscriptions: set[str] = field(default_factory=set)
    developers: set[str] = field(default_factory=set)
    spans: list[tuple[datetime, datetime]] = field(default_factory=list)
    cut: set[datetime] = field(default_factory=set)

    @property
    def hours(self) -> Q:
        return _within(self.spans)


def extent_of(price_list: Mapping[str, Any]) -> Extent:
    """Read it from what an invoice froze."""
    found = Extent()
    rules = [datetime.fromisoformat(rule["from"]) for rule in price_list["billable"] if rule["from"]]
    for month in price_list["months"]:
        spans = [] if month["name"] > price_list["month"]["name"] else month["spans"]
        moments = [datetime.fromisoformat(span[edge]) for span in spans for edge in ("from", "until")]
        if not moments:
            continue
        found.subscriptions |= {span["subscription"] for span in spans}
        found.developers |= {span["developer"] for span in spans}
        found.spans.append((floor(min(moments), 3_600), ceiling(max(moments), 3_600)))
        found.cut |= {hour for moment in (*moments, *rules) if (hour := floor(moment, 3_600)) != moment}
    return found


def record_rows(extent: Extent) -> Iterator[Row]:
    """Yield rows by HEADER: `sealed` (each time a record was sealed), `hour` (as it is), `minute` (of cut hours)."""
    yield from _sealed_rows(extent, CALLS)
    mine = {"subscription_id__in": extent.subscriptions}
    columns = ("at", "developer_id", *CALLS.columns)
    yield from _rows("hour", UsageHour.objects.filter(extent.hours, **mine), columns)
    if extent.cut:
        minutes = _within((hour, hour + _HOUR) for hour in extent.cut)
        yield from _rows("minute", UsageMinute.objects.filter(minutes, **mine), columns)


def meter_rows(extent: Extent) -> Iterator[Row]:
    """Yield rows by METER_HEADER: `sealed` (each time a meter's record was sealed) and `quarter` (as it is)."""
    yield from _sealed_rows(extent, METERS)
    mine = MeterRecord.objects.filter(extent.hours, subscription_id__in=extent.subscriptions)
    yield from _rows("quarter", mine, ("developer_id", *METERS.columns))


def _sealed_rows(extent: Extent, kind: Kind) -> Iterator[Row]:
    for seal in _seals(extent).iterator(chunk_size=100):
        if kind_of(seal.content) is not kind:
            continue
        known = {"kind": "sealed", "seal": str(seal.number), "at": seal.at.isoformat()}
        for texts in seal.content["records"]:
            row = dict(zip(seal.content["columns"], texts, strict=True))
            if row["subscription_id"] in extent.subscriptions:
                yield known | {"developer_id": seal.organization_id} | row


def seal_rows(extent: Extent, heads: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return {"seals", "unsealed"}: the chains from the first seal that is needed to the last.

    Of a seal's records only the hashes: it has those of other providers' APIs, too.
    """
    seals: list[dict[str, Any]] = []
    for developer in sorted(extent.developers):
        numbers = set(_seals(extent).filter(organization_id=developer).values_list("number", flat=True))
        if developer in heads:
            numbers.add(heads[developer]["number"])
        if numbers:
            chain = UsageSeal.objects.filter(
                organization_id=developer, number__gte=min(numbers), number__lte=max(numbers)
            )
            seals += [_seal(seal) for seal in chain.order_by("number").iterator(chunk_size=100)]
    marks = UsageMark.objects.filter(organization_id__in=extent.developers).filter(extent.hours)
    unsealed = sorted({(pk, at.isoformat()) for pk, at in marks.values_list("organization_id", "at")})
    return {"seals": seals, "unsealed": [list(each) for each in unsealed]}


def _within(spans: Iterable[tuple[datetime, datetime]]) -> Q:
    found = Q(at__lt=_EVER)
    for start, end in spans:
        found |= Q(at__gte=start, at__lt=end)
    return found


def _seals(extent: Extent) -> Any:
    return UsageSeal.objects.filter(extent.hours, organization_id__in=extent.developers).order_by(
        "organization_id", "number"
    )


def _seal(seal: UsageSeal) -> dict[str, Any]:
    columns = seal.content["columns"]
    return {
        "organization": seal.organization_id,
        "number": seal.number,
        "hour": seal.at.isoformat(),
        "sealed_at": seal.sealed_at.isoformat(),
        "records": [record_hash(columns, row) for row in seal.content["records"]],
        "previous": seal.previous,
        "hash": seal.hash,
    }


def _rows(kind: str, records: Any, columns: Sequence[str]) -> Iterator[Row]:
    for values in records.order_by("at", "subscription_id").values_list(*columns).iterator(chunk_size=2_000):
        yield {"kind": kind, "seal": ""} | dict(zip(columns, as_texts(values), strict=True))
