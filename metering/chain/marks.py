"""Marks hours whose records changed, in the transaction that changes them. One small INSERT, whatever was counted.

Only code that counts marks an hour: a record that somebody changes in the database is not sealed anew by that.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection

_MARK = "INSERT INTO metering_usagemark (claimed, organization_id, at) SELECT DISTINCT false, developer_id, "
# by their order, so that two that mark the same hours never wait for each other in a circle
_ONCE = " ORDER BY 2, 3 ON CONFLICT DO NOTHING"


def mark_staged(cursor: Any, staging: str) -> None:
    """Mark the hours of rows that are staged (`metering/records.py`; `at` in Unix seconds)."""
    cursor.execute(f"{_MARK} to_timestamp(at - at % 3600) FROM {staging} WHERE developer_id <> ''{_ONCE}")


def mark_span(start: datetime, end: datetime, *, developer_id: str = "") -> None:
    """Mark all hours of [start, end) that have records (of one developer, or of all): they were made anew."""
    whose = "developer_id = %s" if developer_id else "developer_id <> %s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_MARK} at FROM metering_usagehour WHERE at >= %s AND at < %s AND {whose}{_ONCE}",
            [start, end, developer_id],
        )


def mark_hours(hours: Collection[tuple[str, datetime]]) -> None:
    """Mark hours (developer's id, a moment within) in which meters counted."""
    if not hours:
        return
    developers, moments = zip(*hours, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_MARK} date_trunc('hour', at, 'UTC') FROM unnest(%s::text[], %s::timestamptz[]) "
            f"AS counted (developer_id, at){_ONCE}",
            [list(developers), list(moments)],
        )
