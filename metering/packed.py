"""A JSON value that is kept as compressed bytes: nobody asks PostgreSQL about what is in it.

A batch's rows repeat the same names and zeros, so this is a fifteenth of the text, and several times quicker to
store than jsonb, which PostgreSQL takes apart first.
"""

import zlib
from typing import Any

import orjson
from django.db import models

# how JSON's objects and arrays begin; what zlib makes begins with an x
_AS_TEXT = (b"{", b"[")


def pack(value: Any) -> bytes:
    """Return a JSON value as bytes; level 1 is quick and small enough."""
    return zlib.compress(orjson.dumps(value), 1)


def unpack(packed: bytes | memoryview) -> Any:
    """Return the value of `pack`, or of JSON that was never packed (a former column's rows)."""
    return orjson.loads(packed if bytes(packed[:1]) in _AS_TEXT else zlib.decompress(packed))


class PackedJSONField(models.BinaryField):
    """Like a JSONField whose parts cannot be asked for."""

    _pyi_private_set_type: Any
    _pyi_private_get_type: Any

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        return None if value is None else connection.Database.Binary(pack(value))

    def from_db_value(self, value: Any, *_: Any) -> Any:
        return None if value is None else unpack(value)

    def to_python(self, value: Any) -> Any:
        return value
