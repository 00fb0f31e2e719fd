"""What the pages of the request log show, for a developer and for a provider."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.timezone import now

from accounts.errors import Refused
from metering.models import RequestLine
from metering.names import names_of
from metering.queries import summary
from metering.request_log.search import (
    MOST_COUNTED,
    OUTCOMES,
    Filters,
    Found,
    clamp,
    count_requests,
    find_request,
    find_requests,
    kept_from,
    read_id,
)
from metering.request_log.steps import outcome_of
from metering.scopes import Scope, Span
from portal.usage_span import as_text, read_moment

# what the form has, beside `from` and `to`
TEXTS = ("status", "outcome", "method", "path", "api", "stage", "key")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
NOT_FOUND = (
    "No call with this id is in your log. Is it written as in the header x-amzn-RequestId? Calls are kept for {days} "
    "days, and show after some seconds. You see the calls made with keys of your organization, and as a provider those "
    "of your APIs: a call without a known key is in its provider's log only. Of a busy node some answered calls are "
    "left out, and a provider may have the log of a stage or a plan keep errors only, or nothing."
)
NO_ID = "This is no request id. One looks like 3f2504e0-4f89-41d3-9a0c-0305e82c3301."


@dataclass(frozen=True, slots=True)
class Row:
    """One call of the list."""

    line: RequestLine
    api: str
    key: str

    @property
    def state(self) -> str:
        return outcome_of(self.line)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list. `calls` and `kept` compare what was called with what the log has; None = not asked."""

    values: dict[str, str]
    rows: list[Row] = field(default_factory=list)
    older: str = ""
    looked_to: datetime | None = None
    narrow: bool = False
    problem: str = ""
    problem_field: str = ""
    calls: int | None = None
    kept: int | None = None

    @property
    def left_out(self) -> bool:
        """Whether the log lacks calls of the span."""
        return self.calls is not None and self.kept is not None and self.kept < min(self.calls, MOST_COUNTED)


def listing(*, scope: Scope, parameters: Mapping[str, str], limit: int) -> Listing:
    """Read a page of the scope's calls: at most 6 queries. What cannot be looked for is told, not raised."""
    values = {name: parameters.get(name, "").strip()[:200] for name in (*TEXTS, "from", "to", "id")}
    given: dict[str, Any] = {name: values[name][:10] for name in ("api", "stage", "key") if values[name]}
    scope = replace(scope, **given)
    try:
        filters = _filters(values)
        found = find_requests(scope=scope, filters=filters, before=parameters.get("before", ""), limit=limit)
    except Refused as refusal:
        return Listing(values, problem=str(refusal), problem_field=refusal.field or "")
    calls = kept = None
    if not filters.narrow and not parameters.get("before"):
        calls, kept = (
            summary(scope=scope, span=filters.span).calls,
            count_requests(scope=scope, span=filters.span),
        )
    rows = list(_rows(found))
    return Listing(values, rows, found.older, found.looked_to, filters.narrow, calls=calls, kept=kept)


def find(*, scopes: Iterable[Scope], text: str) -> RequestLine:
    """Return the call whose id was pasted. Refused(field `id`) says where else it may be."""
    identity = read_id(text)
    if identity is None:
        raise Refused(NO_ID, field="id")
    for scope in scopes:
        line = find_request(scope=scope, request_id=identity)
        if line is not None:
            return line
    raise Refused(NOT_FOUND.format(days=settings.REQUEST_LOG_KEEP_DAYS), field="id", code="not_found")


def table(rows: Sequence[Row]) -> Iterator[Sequence[Any]]:
    """The rows as CSV has them, under HEADER."""
    for row in rows:
        yield [getattr(row.line, name) for name in HEADER]


HEADER = (
    "id", "at", "method", "host", "path", "query", "status", "verdict", "why", "api_id", "stage_id", "operation_id",
    "developer_id", "application_id", "key_id", "address", "latency_ms", "backend_ms", "bytes_in", "bytes_out",
)  # fmt: skip


def choices() -> dict[str, Any]:
    """What the form offers."""
    return {
        "outcomes": list(OUTCOMES),
        "methods": METHODS,
        "keep_days": settings.REQUEST_LOG_KEEP_DAYS,
        "oldest": as_text(kept_from()),
    }


def _filters(values: Mapping[str, str]) -> Filters:
    at = now()
    start = _moment(values["from"], "from") or kept_from(at)
    end = _moment(values["to"], "to") or at
    if start >= end:
        raise Refused("The start must be before the end.", field="to")
    filters = Filters(
        span=Span(start, end),
        status=values["status"],
        outcome=values["outcome"],
        method=values["method"].upper(),
        path=values["path"],
    )
    return clamp(filters, at)


def _moment(text: str, name: str) -> datetime | None:
    if not text:
        return None
    found = read_moment(text)
    if found is None:
        raise Refused("Write a moment such as 2026-11-20T14:00 (UTC).", field=name)
    return found


def _rows(found: Found) -> Iterator[Row]:
    apis = _names("api", {line.api_id for line in found.lines})
    keys = _names("key", {line.key_id for line in found.lines})
    for line in found.lines:
        yield Row(line, apis.get(line.api_id, ""), keys.get(line.key_id, ""))


def _names(dimension: str, ids: Collection[str]) -> dict[str, str]:
    known = {each for each in ids if each}
    return names_of(dimension, known) if known else {}
