"""Whose usage is asked for, of what, and when."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

_COLUMNS = {"provider": "organization_id"}


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose usage, and which part of it: ids; '' = all.

    Give `provider` or `developer` (organizations), or both. Without either it is only for the staff of the
    installation: then say `everyone`.
    """

    provider: str = ""
    developer: str = ""
    api: str = ""
    version: str = ""
    stage: str = ""
    operation: str = ""
    application: str = ""
    subscription: str = ""
    key: str = ""
    everyone: bool = False

    def conditions(self) -> tuple[list[str], list[Any]]:
        """Return SQL conditions on a record and their values; raises ValueError if nobody is named."""
        if not (self.provider or self.developer or self.everyone):
            raise ValueError("a scope needs a provider or a developer")
        sql: list[str] = []
        values: list[Any] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value and isinstance(value, str):
                sql.append(f"{_COLUMNS.get(field.name, field.name + '_id')} = %s")
                values.append(value)
        return sql, values


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` (inclusive) to `end` (exclusive), aware datetimes. A minute counts where it begins."""

    start: datetime
    end: datetime
