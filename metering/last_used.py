"""When a key was last used: written at most once a minute for each key."""

import json
from collections.abc import Iterable

from django.db import connection

from access.models import ApiKey


def note(uses: Iterable[tuple[str, int]]) -> None:
    """Move `last_used_at` of keys forward to the newest of the minutes (key, Unix seconds) in which they were used.

    A row that somebody else holds is skipped; the next minute will do.
    """
    newest: dict[str, int] = {}
    for key, at in uses:
        if key and at > newest.get(key, 0):
            newest[key] = at
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
