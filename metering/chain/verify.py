"""Compares records with their seals, and seals with each other: what was changed, added, deleted, or broken."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Max, Min, QuerySet
from django.utils.timezone import now

from metering import partitions
from metering.chain.content import COLUMNS, NAMES, SUMS, Records, apply, as_records, is_gone
from metering.chain.seal import hash_of
from metering.models import UsageChain, UsageHour, UsageMark, UsageSeal
from metering.pieces import floor

_DAY = timedelta(days=1)


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
    there = UsageHour.objects.filter(developer_id=organization_id).aggregate(first=Min("at"), last=Max("at"))
    start = min((at for at in (start, there["first"] if end is None else None) if at), default=now())
    if end is None:
        last = [at for at in (there["last"],) if at]
        sealed = UsageSeal.objects.filter(organization_id=organization_id).aggregate(last=Max("at"))["last"]
        end = max([*last, *([sealed] if sealed else [])], default=start) + timedelta(hours=1)
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
    for at in sorted(sealed.keys() | found.keys()):
        report.records += len(found[at])
        findings = _compare(at, sealed[at], found[at], numbers)
        report.findings += [f for f in findings if at not in marked or not _is_late(f)]


def _sealed(
    organization_id: str, start: datetime, end: datetime
) -> tuple[dict[datetime, Records], dict[tuple[datetime, tuple[str, ...]], int]]:
    """Return hour -> its records as sealed, and which seal says so of each."""
    sealed: dict[datetime, Records] = defaultdict(dict)
    numbers = {}
    for seal in _seals_in(organization_id, start, end).order_by("number"):
        apply(sealed[seal.at], seal.content)
        for row in seal.content["records"]:
            numbers[seal.at, tuple(row[: len(NAMES)])] = seal.number
    return sealed, numbers


def _found(organization_id: str, start: datetime, end: datetime) -> dict[datetime, Records]:
    rows: dict[datetime, list[tuple[object, ...]]] = defaultdict(list)
    hours = UsageHour.objects.filter(developer_id=organization_id, at__gte=start, at__lt=end)
    for at, *row in hours.values_list("at", *COLUMNS):
        rows[at].append(tuple(row))
    found: dict[datetime, Records] = defaultdict(dict)
    found.update({at: as_records(each) for at, each in rows.items()})
    return found


def _compare(
    at: datetime, sealed: Records, found: Records, numbers: dict[tuple[datetime, tuple[str, ...]], int]
) -> Iterator[Finding]:
    for name in sorted(sealed.keys() | found.keys()):
        before, after = sealed.get(name), found.get(name)
        if before == after or (after is None and before is not None and is_gone(before)):
            continue
        number, record = numbers.get((at, name)), dict(zip(NAMES, name, strict=True))
        if after is None:
            yield Finding("missing", number, at, record, _counts(before))
        elif before is None or is_gone(before):
            yield Finding("added", number, at, record, {}, _counts(after))
        else:
            pairs = [(c, a, b) for c, a, b in zip(COLUMNS, before, after, strict=True) if a != b]
            yield Finding(
                "changed", number, at, record, {c: a for c, a, _ in pairs}, {c: b for c, _, b in pairs}
            )


def _is_late(finding: Finding) -> bool:
    """Whether late counts can have made it: they only ever add."""
    if finding.kind == "added":
        return True
    return finding.kind == "changed" and all(
        name in SUMS and int(finding.found[name]) > int(value) for name, value in finding.sealed.items()
    )


def _counts(row: tuple[str, ...] | None) -> dict[str, str]:
    assert row is not None
    return {name: value for name, value in zip(COLUMNS, row, strict=True) if name in SUMS and value != "0"}


def _pairs(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {value or '-'}" for name, value in values.items())
