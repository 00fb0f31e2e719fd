"""Writes many rows at once by COPY, which PostgreSQL takes several times faster than INSERT."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import AutoField, Model

_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_PIECE = 1_000  # rows


def copy_in(model: type[Model], rows: Sequence[Any]) -> None:
    """Insert new rows of a model: objects with its columns as attributes, such as its instances.

    Numeric keys are PostgreSQL's and not read back; save() is passed over. It takes text, whole numbers, Decimal,
    datetime, and JSON as lists and dicts.
    """
    if not rows:
        return
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
    read = attrgetter(*(field.attname for field in fields))
    columns = ", ".join(f'"{field.column}"' for field in fields)
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as copy,
    ):
        for start in range(0, len(rows), _PIECE):
            lines = [
                "\t".join([_TEXTS[type(value)](value) for value in read(row)])
                for row in rows[start : start + _PIECE]
            ]
            copy.write("\n".join(lines) + "\n")


def _str(value: str) -> str:
    return value if value.isprintable() and "\\" not in value else value.translate(_ESCAPES)


def _json(value: Any) -> str:
    return _encode(value).translate(_ESCAPES) if value else str(value)


_encode = json.JSONEncoder(separators=(",", ":")).encode


class _Texts(dict[type, Callable[[Any], str]]):
    """How values of a type are written; members of enumerations of text are text."""

    def __missing__(self, kind: type) -> Callable[[Any], str]:
        if not issubclass(kind, str):
            raise TypeError(f"{kind} cannot be copied.")
        return _str


_TEXTS = _Texts(
    {
        str: _str,
        int: str,
        bool: str,
        Decimal: str,
        type(None): lambda _: "\\N",
        datetime: datetime.isoformat,
        dict: _json,
        list: _json,
    }
)
