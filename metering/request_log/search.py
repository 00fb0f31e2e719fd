"""Lines of the request log, newest first, a page at a time.

A filter that few calls meet could make PostgreSQL look through days of them. So a page looks at no more than
MOST_LOOKED calls, shows what it found among these, and says how far it came; the next page goes on from there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils.timezone import now

from accounts.errors import Refused
from metering.models import RequestLine
from metering.scopes import Scope, Span

PAGE = 50
MOST_LOOKED = 20_000
# a count is of no use to a reader beyond
MOST_COUNTED = 100_000
_TABLE = RequestLine._meta.db_table
_ORDER = "ORDER BY at DESC, id DESC"
# how a call ended -> SQL
OUTCOMES = {
    "answered": "verdict IN ('', 'CORS_PREFLIGHT') AND status BETWEEN 100 AND 399",
    "refused": "verdict NOT IN ('', 'INTEGRATION_FAILURE', 'INTEGRATION_TIMEOUT', 'CORS_PREFLIGHT')",
    "failed": "verdict IN ('', 'INTEGRATION_FAILURE', 'INTEGRATION_TIMEOUT') AND NOT status BETWEEN 100 AND 399",
}


@dataclass(frozen=True, slots=True)
class Filters:
    """What is looked for. '' = all. `status` is `404` or `4xx`; `path` a part of it; `outcome` a name of OUTCOMES."""

    span: Span
    status: str = ""
    outcome: str = ""
    verdict: str = ""
    method: str = ""
    path: str = ""
    address: str = ""

    @property
    def narrow(self) -> bool:
        """Whether it leaves calls of the span out."""
        return any((self.status, self.outcome, self.verdict, self.method, self.path, self.address))


@dataclass(frozen=True, slots=True)
class Found:
    """A page. `older` is what the next page begins `before`; '' = the span was looked through to its start.

    `looked_to` is set where the page ends because so much was looked at, not because it is full.
    """

    lines: list[RequestLine] = field(default_factory=list)
    older: str = ""
    looked_to: datetime | None = None


def kept_from(at: datetime | None = None) -> datetime:
    """Return from when on lines are kept."""
    return (at or now()) - timedelta(days=settings.REQUEST_LOG_KEEP_DAYS)


def find_requests(*, scope: Scope, filters: Filters, before: str = "", limit: int = PAGE) -> Found:
    """Return a page of the scope's calls. Two queries at most. Refused(field) for what cannot be looked for."""
    where, values = scope.conditions()
    where += ["at >= %s", "at < %s"]
    values += [filters.span.start, filters.span.end]
    if before:
        where.append("(at, id) < (%s, %s)")
        values += _read_mark(before)
    wanted, wanted_values = _conditions(filters)
    calls = f"SELECT * FROM {_TABLE} WHERE {' AND '.join(where)} {_ORDER}"  # noqa: S608 -- values are apart
    sql = f"SELECT * FROM ({calls} LIMIT {MOST_LOOKED}) AS seen WHERE {wanted} {_ORDER} LIMIT {limit + 1}"  # noqa: S608
    lines = _read(sql, [*values, *wanted_values])
    if len(lines) > limit:
        return Found(lines[:limit], older=_mark(lines[limit - 1].at, lines[limit - 1].id))
    last = _last_looked(calls, values)
    if last is None:
        return Found(lines)
    return Found(lines, older=_mark(*last), looked_to=last[0])


def find_request(*, scope: Scope, request_id: UUID) -> RequestLine | None:
    """Return one call of the scope; None = there is none that the scope may see."""
    where, values = scope.conditions()
    sql = f"SELECT * FROM {_TABLE} WHERE id = %s AND {' AND '.join([*where, 'true'])} {_ORDER} LIMIT 1"  # noqa: S608
    return next(iter(_read(sql, [request_id, *values])), None)


def _read(sql: str, values: Sequence[Any]) -> list[RequestLine]:
    """Return the lines of a query; Django's raw() knows no composite keys."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        names = [column.name for column in cursor.description]
        return [RequestLine(**dict(zip(names, row, strict=True))) for row in cursor.fetchall()]


def count_requests(*, scope: Scope, span: Span) -> int:
    """Return how many lines a span has, counted up to MOST_COUNTED."""
    where, values = scope.conditions()
    calls = f"SELECT 1 FROM {_TABLE} WHERE {' AND '.join([*where, 'at >= %s', 'at < %s'])}"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM ({calls} LIMIT {MOST_COUNTED}) AS counted",  # noqa: S608
            [*values, span.start, span.end],
        )
        return int(cursor.fetchone()[0])


def read_id(text: str) -> UUID | None:
    """Read a request id as people paste it: with spaces or quotes around, or its header's name before it."""
    word = text.strip().rpartition(":")[2].strip().strip("\"'<>")
    try:
        return UUID(word)
    except ValueError:
        return None


def clamp(filters: Filters, at: datetime | None = None) -> Filters:
    """Keep the span within what is kept."""
    start = max(filters.span.start, kept_from(at))
    return replace(filters, span=Span(start, max(filters.span.end, start)))


def _last_looked(calls: str, values: Sequence[Any]) -> tuple[datetime, UUID] | None:
    """Return the last call that was looked at; None = there was nothing more to look at."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT at, id FROM ({calls} OFFSET {MOST_LOOKED - 1} LIMIT 1) AS last",  # noqa: S608
            list(values),
        )
        return cursor.fetchone()


def _conditions(filters: Filters) -> tuple[str, list[Any]]:
    sql: list[str] = ["true"]
    values: list[Any] = []
    if filters.status:
        low, high = _status_range(filters.status)
        sql.append("status BETWEEN %s AND %s")
        values += [low, high]
    if filters.outcome:
        if filters.outcome not in OUTCOMES:
            raise Refused(f"Choose one of {', '.join(OUTCOMES)}.", field="outcome")
        sql.append(OUTCOMES[filters.outcome])
    for name in ("verdict", "method", "address"):
        if value := getattr(filters, name):
            sql.append(f"{name} = %s")
            values.append(value)
    if filters.path:
        sql.append("strpos(path, %s) > 0")
        values.append(filters.path.replace("\0", ""))
    return " AND ".join(sql), values


def _status_range(text: str) -> tuple[int, int]:
    if len(text) == 3 and text[0] in "12345" and text[1:].lower() == "xx":
        return int(text[0]) * 100, int(text[0]) * 100 + 99
    if len(text) == 3 and text.isascii() and text.isdigit():
        return int(text), int(text)
    raise Refused("Write a status such as 404, or a class such as 4xx.", field="status")


def _mark(at: datetime, identity: UUID) -> str:
    return f"{round(at.timestamp() * 1_000_000)}-{identity.hex}"


def _read_mark(text: str) -> list[Any]:
    moment, _, identity = text.partition("-")
    try:
        micros = int(moment)
        at = datetime.fromtimestamp(micros // 1_000_000, tz=UTC) + timedelta(microseconds=micros % 1_000_000)
        return [at, UUID(identity)]
    except (ValueError, OverflowError, OSError):
        raise Refused("This page is not there; begin with the newest calls.", field="before") from None
