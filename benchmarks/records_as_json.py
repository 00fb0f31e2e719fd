"""The former way to write records, to compare with."""

import json
from typing import Any


def add_as_json(rows: Any) -> None:
    """The former way to write records: the rows of each table as one JSON text."""
    from django.db import connection  # noqa: PLC0415

    from metering import records  # noqa: PLC0415

    types = ", ".join(
        f"{name} {records._TYPES.get(name, 'text')}" for name in records.COLUMNS if name != "at"
    )
    columns = ", ".join(records.COLUMNS)
    for table, seconds in records._SECONDS.items():
        rows = records.fold(rows, seconds)
        ending = records._statement(table, seconds).partition("ON CONFLICT")[2]
        read = columns.replace("at,", f"to_timestamp(at - at %% {seconds}),", 1)
        sql = (
            f"INSERT INTO {table._meta.db_table} AS held ({columns}) "  # noqa: S608
            f"SELECT {read} FROM jsonb_to_recordset(%s::jsonb) AS row(at bigint, {types}) ON CONFLICT {ending}"
        )
        for start in range(0, len(rows), 5_000):
            piece = [dict(zip(records.COLUMNS, row, strict=True)) for row in rows[start : start + 5_000]]
            with connection.cursor() as cursor:
                cursor.execute(sql, [json.dumps(piece)])
