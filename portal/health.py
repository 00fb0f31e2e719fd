"""The health of APIs as pages show it, kept for a minute: many visitors look at the same."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.cache import cache
from django.utils.timezone import now

from apis.models import Api
from metering.health import Health, health_of
from portal import formats

KEPT_SECONDS = 60
# below these parts of calls without a 5xx an API is degraded, or down
FINE, POOR = 0.99, 0.9
NO_CALLS = "none"


@dataclass(frozen=True, slots=True)
class Shown:
    """In words: `state` is a badge's, `label` its text; the rest is text as well."""

    state: str
    label: str
    availability: str = formats.DASH
    p50: str = formats.DASH
    p95: str = formats.DASH


def shown_health(apis: Iterable[Api]) -> dict[str, Shown]:
    """Return what to show of each API, by id. At most one query."""
    wanted = {api.pk: api.organization_id for api in apis}
    keys = {pk: f"health:{pk}" for pk in wanted}
    known = cache.get_many(keys.values())
    found = {pk: known[key] for pk, key in keys.items() if key in known}
    missing = [(pk, provider) for pk, provider in wanted.items() if pk not in found]
    if missing:
        asked = health_of(missing, now())
        fresh = {pk: asked.get(pk) for pk, _ in missing}
        cache.set_many({keys[pk]: each for pk, each in fresh.items()}, KEPT_SECONDS)
        found |= fresh
    return {pk: _shown(each) for pk, each in found.items()}


def _shown(health: Health | None) -> Shown:
    if health is None:
        return Shown(NO_CALLS, "No calls yet")
    state, label = "failed", "Failing"
    if health.availability >= FINE:
        state, label = "active", "Operational"
    elif health.availability >= POOR:
        state, label = "pending", "Degraded"
    return Shown(
        state,
        label,
        _percent(health.availability),
        formats.milliseconds(health.p50),
        formats.milliseconds(health.p95),
    )


def _percent(part: float) -> str:
    """Two decimals, never rounded up to 100 %."""
    hundredths = int(part * 10_000 + 1e-6)
    return f"{hundredths / 100:.2f} %" if hundredths < 10_000 else "100 %"
