"""What cache-hours and providers' own meters counted, for pages and REST."""

from dataclasses import dataclass
from decimal import Decimal

from django.db import connection

from metering.billable import AGGREGATE
from metering.models import CustomMeter, MeterRecord
from metering.scopes import Scope, Span

# of these nothing is known but of calls
_CALLS_ONLY = ("version", "stage", "operation", "key")
NAMES = {"cache_hours": ("Cache", "hour")}


@dataclass(frozen=True, slots=True)
class MeterTotal:
    """A meter's total over a span: each subscription's value as the meter adds up, and the sum of these."""

    provider: str
    meter: str
    name: str
    unit: str
    value: Decimal


def meter_totals(*, scope: Scope, span: Span) -> list[MeterTotal]:
    """Return the meters with anything in the span, by name; none where the scope is a part of calls. One query."""
    if any(getattr(scope, name) for name in _CALLS_ONLY):
        return []
    conditions, values = scope.conditions()
    where = " AND ".join([*(f"record.{condition}" for condition in conditions), "at >= %s", "at < %s"])
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS.format(where=where), [*values, span.start, span.end])
        found = cursor.fetchall()
    return sorted(
        (_total(provider, meter, name, unit, value) for provider, meter, name, unit, value in found),
        key=lambda total: (total.name, total.provider),
    )


def _total(provider: str, meter: str, name: str | None, unit: str | None, value: Decimal) -> MeterTotal:
    own_name, own_unit = NAMES.get(meter, (meter, "unit"))
    return MeterTotal(provider, meter, name or own_name, unit or own_unit, value)


_TOTALS = f"""
    SELECT organization_id, meter, name, unit, sum(value) FROM (
        SELECT record.organization_id, meter, name, unit, {AGGREGATE} AS value
        FROM {MeterRecord._meta.db_table} AS record
        LEFT JOIN {CustomMeter._meta.db_table} AS custom
            ON custom.organization_id = record.organization_id AND code = meter
        WHERE {{where}}
        GROUP BY record.organization_id, meter, name, unit, aggregation, subscription_id, api_id
    ) AS values GROUP BY 1, 2, 3, 4
"""  # noqa: S608 -- names come from the models
