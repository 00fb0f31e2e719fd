"""Which time a dashboard shows: a span by name that ends now, or one that the reader chose. All of it in the URL."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.timezone import now

from billing.periods import month_of
from metering.pieces import ceiling, floor
from metering.queries import Span, Step

SPANS: dict[str, tuple[str, timedelta | None]] = {
    "1h": ("1 hour", timedelta(hours=1)),
    "24h": ("24 hours", timedelta(hours=24)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
    "month": ("This month", None),
    "90d": ("90 days", timedelta(days=90)),
    "1y": ("1 year", timedelta(days=365)),
}
DEFAULT_SPAN = "24h"
# what a chosen span may have
LONGEST = timedelta(days=800)
SECONDS: dict[Step, int] = {"minute": 60, "hour": 3_600, "day": 86_400}
_STEPS: dict[str, Step] = {"1h": "minute", "24h": "hour", "7d": "hour"}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is shown. `name` is '' for a span of the reader's own; `live` = it ends now.

    Starts are whole steps, so that tiles and charts add up to the same.
    """

    name: str
    span: Span
    step: Step
    live: bool
    problem: str = ""

    @property
    def start_text(self) -> str:
        """As `<input type="datetime-local">` has it, UTC."""
        return as_text(self.span.start)

    @property
    def end_text(self) -> str:
        return as_text(self.span.end)

    @property
    def length(self) -> timedelta:
        """Whole steps."""
        return ceiling(self.span.end, SECONDS[self.step]) - self.span.start

    @property
    def before(self) -> Span:
        """As long a span right before; of a running one, only as much as has passed."""
        return Span(self.span.start - self.length, self.span.end - self.length)

    @property
    def earlier(self) -> dict[str, str]:
        """Parameters of the span right before."""
        return own_span(self.span.start - self.length, self.span.start)

    @property
    def later(self) -> dict[str, str]:
        """Parameters of the span right after; empty where that is all still to come."""
        end = self.span.start + self.length
        return {} if self.live or end >= now() else own_span(end, end + self.length)

    @property
    def wider(self) -> dict[str, str]:
        """Parameters of a span twice as long around this one."""
        half = self.length / 2
        return own_span(self.span.start - half, self.span.start + self.length + half)

    @property
    def fixed(self) -> dict[str, str]:
        """Parameters that show this span to whoever opens them later."""
        return own_span(self.span.start, self.span.start + self.length)

    @property
    def parameters(self) -> dict[str, str]:
        """What an address needs to show this span again."""
        return {"span": self.name} if self.name else own_span(self.span.start, self.span.end)


def read_span(parameters: Mapping[str, str], timezone: str) -> Chosen:
    """Read `from` and `to` (`2026-11-20T14:00`, UTC), else `span`; what makes no sense gives 24 hours and a problem."""
    if parameters.get("from") or parameters.get("to"):
        return _read_own(parameters.get("from", ""), parameters.get("to", ""), timezone)
    return _named(parameters.get("span", ""), timezone)


def as_text(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M}"


def step_of(length: timedelta) -> Step:
    """The finest step that gives a readable chart."""
    if length <= timedelta(hours=3):
        return "minute"
    return "hour" if length <= timedelta(days=8) else "day"


def _named(name: str, timezone: str, problem: str = "") -> Chosen:
    name = name if name in SPANS else DEFAULT_SPAN
    end = now() + timedelta(seconds=1)
    length, step = SPANS[name][1], _STEPS.get(name, "day")
    if length is None:
        return Chosen(name, Span(month_of(end, timezone).start, end), step, live=True, problem=problem)
    return Chosen(name, Span(floor(end - length, SECONDS[step]), end), step, live=True, problem=problem)


def _read_own(start_text: str, end_text: str, timezone: str) -> Chosen:
    start = read_moment(start_text)
    end = read_moment(end_text) if end_text else now()
    if start is None or end is None:
        return _named("", timezone, "Write moments such as 2026-11-20T14:00.")
    if start >= end:
        return _named("", timezone, "The start of the span must be before its end.")
    if end - start > LONGEST:
        return _named("", timezone, f"Choose at most {LONGEST.days} days.")
    step = step_of(end - start)
    whole = Span(floor(start, SECONDS[step]), ceiling(end, SECONDS[step]))
    moment = now() + timedelta(seconds=1)
    live = whole.start < moment < whole.end
    return Chosen("", Span(whole.start, min(whole.end, moment)) if live else whole, step, live=live)


def read_moment(text: str) -> datetime | None:
    """Read `2026-11-20T14:00` (UTC unless it says otherwise); None for what is no moment."""
    try:
        found = datetime.fromisoformat(text)
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
        # leaves room for the span before, in any zone
        return found.astimezone(UTC) if 2000 <= found.year <= 2200 else None
    except (ValueError, OverflowError):
        return None


def own_span(start: datetime, end: datetime) -> dict[str, str]:
    """Parameters that show exactly this span."""
    return {"from": as_text(start), "to": as_text(end)}


def with_parameters(parameters: Mapping[str, Any], **changes: Any) -> str:
    """A query string; what is empty is left out."""
    kept = {**parameters, **changes}
    return "?" + urlencode({name: value for name, value in kept.items() if value not in (None, "")})
