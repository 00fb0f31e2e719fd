"""Lines of the request log for both demos: calls of subscriptions that are there, answered, refused and failed.

They are for looking at, and count nowhere: usage and bills are made of counts (portal/demo/scale/usage.py).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil, exp
from random import Random
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings

from access.models import QuotaPeriod, UsagePlan
from metering.models import RequestLine
from metering.partitions import cover
from metering.request_log.take import MOST_LINES, NAMES, take_lines
from portal.demo.scale.rhythm import DAY

NODE = "demo"
_MONTH = 30 * 86_400
_PERIODS = {QuotaPeriod.DAY: 86_400, QuotaPeriod.WEEK: 7 * 86_400, QuotaPeriod.MONTH: _MONTH}
_BY_METHOD = {"POST": 201, "DELETE": 204}
_QUERIES = ("", "", "", "limit=50", "page=2&limit=50", "sort=created_at", "signature=***&expires=1767225600")
_LONGEST_MS = 29_000


@dataclass(frozen=True, slots=True)
class Source:
    """A subscription's calls of one operation: answers of `size` bytes after `speed` ms at the median."""

    subscription: str
    key: str
    plan: UsagePlan
    stage: str
    address: str
    operation: str
    method: str
    path: str
    size: int
    speed: int
    weight: float


@dataclass(frozen=True, slots=True)
class _Ending:
    """How a call ends, and how often of a hundred. A status of 0 = the usual one of the method."""

    share: float
    status: int
    verdict: str = ""
    why: str = ""
    # what the backend answered, 0 = as `status`; None = it was not asked
    backend: int | None = 0
    known: bool = True  # the call's key is one of ours
    limited: bool = True  # it came as far as the limits


_ANSWERED = _Ending(84, 0)
_THROTTLED = _Ending(4, 429, "THROTTLED", backend=None)
_SPENT = _Ending(1.5, 429, "QUOTA_EXCEEDED", backend=None)
_ASTRAY = _Ending(1, 403, "MISSING_AUTHENTICATION_TOKEN", backend=None, known=False, limited=False)
_SLOW = _Ending(0.8, 504, "INTEGRATION_TIMEOUT", backend=504)
_ENDINGS = (
    _ANSWERED,
    _THROTTLED,
    _SPENT,
    _ASTRAY,
    _SLOW,
    _Ending(3, 404),
    _Ending(0.6, 500),
    _Ending(1, 503),
    _Ending(0.5, 502, "INTEGRATION_FAILURE", backend=502),
    _Ending(1, 403, "INVALID_API_KEY", "DISABLED", backend=None, limited=False),
    _Ending(0.4, 403, "INVALID_API_KEY", "APPLICATION_SUSPENDED", backend=None, limited=False),
    _Ending(1.2, 403, "INVALID_API_KEY", "MISSING", backend=None, known=False, limited=False),
    _Ending(0.5, 403, "INVALID_API_KEY", "MALFORMED", backend=None, known=False, limited=False),
    _Ending(0.5, 403, "INVALID_API_KEY", "NOT_FOUND", backend=None, known=False, limited=False),
)


def write_requests(*, sources: Sequence[Source], number: int, at: datetime, draw: Random) -> int:
    """Write so many lines of the days before `at` that are kept; returns how many there are now."""
    days = settings.REQUEST_LOG_KEEP_DAYS
    if not sources or not days:
        return 0
    cover(RequestLine, start=at - timedelta(days=days - 1), end=at)
    lines = list(request_lines(sources=sources, number=number, days=days, at=at, draw=draw))
    return sum(
        take_lines(node_id=NODE, lines=lines[start : start + MOST_LINES], at=at)
        for start in range(0, len(lines), MOST_LINES)
    )


def request_lines(
    *, sources: Sequence[Source], number: int, days: int, at: datetime, draw: Random
) -> Iterator[list[Any]]:
    """Yield lines as nodes send them (gateway/request_log.py), more of lately and more by day. Pure."""
    weights = [each.weight for each in sources]
    addresses: dict[str, str] = {}
    for source in draw.choices(sources, weights, k=number):
        address = addresses.setdefault(source.subscription, _address(draw))
        fields = _fields(source, _ending(source, draw), draw)
        fields |= {"at": _moment(days, at, draw).timestamp(), "address": address}
        yield [fields[name] for name in NAMES]


def _ending(source: Source, draw: Random) -> _Ending:
    possible = [each for each in _ENDINGS if _fits(each, source)]
    return draw.choices(possible, [each.share for each in possible])[0]


def _fits(ending: _Ending, source: Source) -> bool:
    if ending is _THROTTLED:
        return source.plan.throttle_rate is not None
    return ending is not _SPENT or source.plan.quota_limit is not None


def _moment(days: int, at: datetime, draw: Random) -> datetime:
    """Return a moment of the days that are kept whole, by the rhythm of the day."""
    span = timedelta(days=days - 0.1)
    while True:
        moment = at - span * draw.random() ** 2
        if draw.random() * max(DAY) < DAY[moment.hour]:
            return moment


def _address(draw: Random) -> str:
    """Return an address of those that are for examples (RFC 5737)."""
    return f"{draw.choice(('203.0.113', '198.51.100', '192.0.2'))}.{draw.randrange(1, 255)}"


def _fields(source: Source, ending: _Ending, draw: Random) -> dict[str, Any]:
    status = ending.status or _BY_METHOD.get(source.method, 200)
    answered = ending.status == 0
    policy, left = _limits(source.plan, ending, draw) if ending.limited else ("", "")
    place = urlsplit(source.address)
    path = re.sub(r"{[^}]*}", lambda _: str(draw.randrange(1_000, 100_000)), source.path)
    why = ending.why
    if ending is _THROTTLED:
        why = f"plan {source.plan.throttle_rate:g} {source.plan.throttle_burst}"
    return _times(source, ending, draw) | {
        "id": str(UUID(int=draw.getrandbits(128), version=4)),
        "subscription": source.subscription if ending.limited else "",
        "key": source.key if ending.known else "",
        "stage": source.stage,
        "operation": "" if ending is _ASTRAY else source.operation,
        "status": status,
        "bytes_out": round(source.size * draw.uniform(0.6, 1.4)) + 400
        if answered
        else draw.randrange(500, 700),
        "bytes_in": draw.randrange(250, 450) if source.method == "GET" else draw.randrange(600, 2_500),
        "verdict": ending.verdict,
        "flags": "",
        "tries": "" if ending.backend is None else str(ending.backend or status),
        "why": why,
        "limit_policy": policy,
        "limit_left": left,
        "method": source.method,
        "host": place.hostname or "",
        "path": place.path + path + ("/lines" if ending is _ASTRAY else ""),
        "query": draw.choice(_QUERIES) if source.method == "GET" else "",
    }


def _times(source: Source, ending: _Ending, draw: Random) -> dict[str, int | None]:
    gate = draw.choice((0, 0, 1, 1, 2))
    if ending.backend is None:
        return {"latency_ms": gate, "backend_ms": None, "connect_ms": None, "header_ms": None}
    backend = round(source.speed * exp(draw.gauss(0, 0.5))) + 1
    if ending is _SLOW:
        backend = _LONGEST_MS
    connect = draw.choice((0, 0, 0, 1, 3))
    header = max(backend - draw.choice((0, 0, 1, 4)), connect)
    return {
        "latency_ms": backend + gate,
        "backend_ms": max(backend, connect),
        "connect_ms": connect,
        "header_ms": header,
    }


def _limits(plan: UsagePlan, ending: _Ending, draw: Random) -> tuple[str, str]:
    """Return the headers RateLimit-Policy and RateLimit as the gate writes them."""
    policy, left = [], []
    if plan.throttle_rate and plan.throttle_burst:
        window = max(ceil(plan.throttle_burst / plan.throttle_rate), 1)
        rest = 0 if ending is _THROTTLED else draw.randrange(plan.throttle_burst)
        policy.append(f'"plan";q={plan.throttle_burst};w={window}')
        left.append(f'"plan";r={rest};t=1')
    if plan.quota_limit:
        window = _PERIODS[QuotaPeriod(plan.quota_period)]
        rest = 0 if ending is _SPENT else draw.randrange(1, plan.quota_limit + 1)
        policy.append(f'"quota";q={plan.quota_limit};w={window}')
        left.append(f'"quota";r={rest};t={draw.randrange(60, window)}')
    return ", ".join(policy), ", ".join(left)
