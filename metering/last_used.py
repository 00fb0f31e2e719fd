"""When a key was last used: written at most once a minute for each key."""

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection

from access.models import ApiKey


def note(rows: Iterable[dict[str, Any]]) -> None:
    """Move `last_used_at` of the rows' keys forward to the newest minute of each.

    A row that somebody else holds is skipped; the next minute will do.
    """
    newest: dict[str, int] = {}
    for row in rows:
        if row["key_id"]:
            newest[row["key_id"]] = max(row["at"], newest.get(row["key_id"], 0))
    if not newest:
        return
    table = ApiKey._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE {table} SET last_used_at = seen.moment
            FROM (
                SELECT held.id, to_timestamp(used.at::bigint) AS moment
                FROM jsonb_each_text(%s::jsonb) AS used(id, at)
                JOIN {table} AS held ON held.id = used.id
                WHERE held.last_used_at IS NULL OR held.last_used_at < to_timestamp(used.at::bigint)
                FOR UPDATE OF held SKIP LOCKED
            ) AS seen
            WHERE {table}.id = seen.id
            """,  # noqa: S608 -- the table's name comes from the model
            [json.dumps(newest)],
        )
