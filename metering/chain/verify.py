"""Compares records with their seals, and seals with each other: what was changed, added, deleted, or broken."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max, Min, QuerySet
from django.utils.timezone import now

from metering import partitions
from metering.chain.content import CALLS, METERS, Kind, Records, apply, as_records, kind_of
from metering.chain.seal import hash_of
from metering.models import MeterRecord, UsageChain, UsageHour, UsageMark, UsageSeal
from metering.pieces import floor

_DAY = timedelta(days=1)

_Hour = tuple[datetime, Kind]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was sealed.

    `kind`: changed, missing or added (a record), broken (a seal that is not what its hash says), unlinked (one that
    does not go on from the one before), gap (seals that are missing). `number` is the seal's, None for an added
    record. `record`: the record's dimensions; `sealed` and `found`: the sums that differ.
    """

    kind: str
    number: int | None
    at: datetime | None = None
    record: dict[str, str] = field(default_factory=dict)
    sealed: dict[str, str] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        words = {
            "changed": f"was {_pairs(self.sealed)} when it was sealed, and is {_pairs(self.found)}",
            "missing": f"is missing; it was sealed with {_pairs(self.sealed)}",
            "added": f"was never sealed; it says {_pairs(self.found)}",
            "broken": "is not what its hash says",
            "unlinked": "does not go on from the seal before it",
            "gap": "is missing",
        }[self.kind]
        if not self.record:
            return f"Seal {self.number} {words}."
        seal = "" if self.number is None else f" (seal {self.number})"
        return f"The record {self.at:%Y-%m-%d %H:%M} {_pairs(self.record)}{seal} {words}."


@dataclass(slots=True)
class Report:
    """What a check saw. `unsealed`: hours with late counts that the next seal will hold."""

    findings: list[Finding] = field(default_factory=list)
    seals: int = 0
    records: int = 0
    unsealed: int = 0

    @property
    def is_good(self) -> bool:
        return not self.findings


def verify(*, organization_id: str, start: datetime | None = None, end: datetime | None = None) -> Report:
    """Check a developer's chain, and its hour records in [start, end) (default: all that are kept).

    Holds one day of records at a time. The chain is checked from the first seal of the span to its head.
    """
    report = Report()
    of_span = _seals_in(organization_id, start, end)
    numbers = of_span.aggregate(first=Min("number"), oldest=Min("at"), newest=Max("at"))
    _check_chain(report, organization_id, numbers["first"] or 1)
    start, end = _span(organization_id, start or numbers["oldest"], end)
    kept = partitions.kept_from(UsageHour, at=now())
    day = max(start, kept) if kept else start
    while day < end:
        following = min(floor(day, 86_400) + _DAY, end)
        _check_records(report, organization_id, day, following)
        day = following
    return report


def _seals_in(organization_id: str, start: datetime | None, end: datetime | None) -> QuerySet[UsageSeal]:
    seals = UsageSeal.objects.filter(organization_id=organization_id)
    if start is not None:
        seals = seals.filter(at__gte=start)
    return seals if end is None else seals.filter(at__lt=end)


def _span(organization_id: str, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
    """Return whole hours; without a given span all that there is, sealed or not."""
    there = [
        model.objects.filter(developer_id=organization_id).aggregate(first=Min("at"), last=Max("at"))
        for model in (UsageHour, MeterRecord)
    ]
    firsts = [each["first"] for each in there] if end is None else []
    start = min((at for at in (start, *firsts) if at), default=now())
    if end is None:
        sealed = UsageSeal.objects.filter(organization_id=organization_id).aggregate(last=Max("at"))["last"]
        lasts = [at for at in (sealed, *(each["last"] for each in there)) if at]
        end = floor(max(lasts, default=start), 3_600) + timedelta(hours=1)
    return floor(start, 3_600), end


def _check_chain(report: Report, organization_id: str, first: int) -> None:
    seals = UsageSeal.objects.filter(organization_id=organization_id, number__gte=first).order_by("number")
    before = UsageSeal.objects.filter(organization_id=organization_id, number=first - 1).first()
    number = first - 1
    # None = nothing to compare with
    previous: str | None = before.hash if before else ""
    if first > 1 and before is None:
        report.findings.append(Finding("gap", first - 1))
        previous = None
    for seal in seals.iterator(chunk_size=200):
        report.findings += [Finding("gap", missing) for missing in range(number + 1, seal.number)]
        if seal.number > number + 1:
            previous = None
        if hash_of(seal) != seal.hash:
            report.findings.append(Finding("broken", seal.number, seal.at))
        if previous is not None and seal.previous != previous:
            report.findings.append(Finding("unlinked", seal.number, seal.at))
        number, previous = seal.number, seal.hash
        report.seals += 1
    head = UsageChain.objects.filter(pk=organization_id).first()
    if head is None:
        return
    report.findings += [Finding("gap", missing) for missing in range(number + 1, head.number + 1)]
    if head.number == number and previous not in (None, head.hash):
        report.findings.append(Finding("unlinked", number))


def _check_records(report: Report, organization_id: str, start: datetime, end: datetime) -> None:
    sealed, numbers = _sealed(organization_id, start, end)
    found = _found(organization_id, start, end)
    marks = UsageMark.objects.filter(organization_id=organization_id, at__gte=start, at__lt=end)
    marked = set(marks.values_list("at", flat=True))
    report.unsealed += len(marked)
    for at, kind in sorted(sealed.keys() | found.keys(), key=lambda key: (key[0], key[1] is METERS)):
        records = found[at, kind]
        report.records += len(records)
        findings = _compare(at, kind, sealed[at, kind], records, numbers)
        report.findings += [f for f in findings if at not in marked or not _is_late(f)]


def _sealed(
    organization_id: str, start: datetime, end: datetime
) -> tuple[dict[_Hour, Records], dict[tuple[datetime, tuple[str, ...]], int]]:
    """Return hour and kind -> its records as sealed, and which seal says so of each."""
    sealed: dict[_Hour, Records] = defaultdict(dict)
    numbers = {}
    for seal in _seals_in(organization_id, start, end).order_by("number"):
        kind = kind_of(seal.content)
        apply(sealed[seal.at, kind], seal.content)
        for row in seal.content["records"]:
            numbers[seal.at, kind.name_of(row)] = seal.number
    return sealed, numbers


def _found(organization_id: str, start: datetime, end: datetime) -> dict[_Hour, Records]:
    mine = {"developer_id": organization_id, "at__gte": start, "at__lt": end}
    rows: dict[_Hour, list[tuple[object, ...]]] = defaultdict(list)
    for at, *row in UsageHour.objects.filter(**mine).values_list("at", *CALLS.columns):
        rows[at, CALLS].append(tuple(row))
    for at, *row in MeterRecord.objects.filter(**mine).values_list("at", *METERS.columns):
        rows[floor(at, 3_600), METERS].append(tuple(row))
    found: dict[_Hour, Records] = defaultdict(dict)
    found.update({key: as_records(each, key[1]) for key, each in rows.items()})
    return found


def _compare(
    at: datetime,
    kind: Kind,
    sealed: Records,
    found: Records,
    numbers: dict[tuple[datetime, tuple[str, ...]], int],
) -> Iterator[Finding]:
    for name in sorted(sealed.keys() | found.keys()):
        before, after = sealed.get(name), found.get(name)
        if before == after or (after is None and before is not None and kind.is_gone(before)):
            continue
        number, record = numbers.get((at, name)), dict(zip(kind.names, name, strict=True))
        if after is None:
            yield Finding("missing", number, at, record, _counts(kind, before))
        elif before is None or kind.is_gone(before):
            yield Finding("added", number, at, record, {}, _counts(kind, after))
        else:
            pairs = [(c, a, b) for c, a, b in zip(kind.columns, before, after, strict=True) if a != b]
            yield Finding(
                "changed", number, at, record, {c: a for c, a, _ in pairs}, {c: b for c, _, b in pairs}
            )


def _is_late(finding: Finding) -> bool:
    """Whether late counts can have made it: they only ever add; of other meters, events are what is added."""
    if finding.kind != "changed":
        return finding.kind == "added"
    before, after = finding.sealed, finding.found
    if "meter" in finding.record:
        return before.keys() <= set(METERS.sums) and int(after.get("events", 0)) > int(
            before.get("events", 0)
        )
    return all(name in CALLS.sums and int(after[name]) > int(value) for name, value in before.items())


def _counts(kind: Kind, row: tuple[str, ...] | None) -> dict[str, str]:
    assert row is not None
    pairs = zip(kind.columns, row, strict=True)
    return {name: value for name, value in pairs if name in kind.sums and value != "0"}


def _pairs(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {value or '-'}" for name, value in values.items())
