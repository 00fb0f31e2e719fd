"""Fields and managers for OpenAPI documents: kept in their own order, and loaded only when asked for."""

from typing import Any, TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, TextField, Value
from psycopg.types.json import Json

Row = TypeVar("Row", bound=models.Model)


class DocumentField(models.JSONField):
    """JSON in PostgreSQL's type `json`: unlike `jsonb` it keeps the order of keys and takes any text."""

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "json"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        return value if hasattr(value, "as_sql") else Json(value)

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Any:
        # psycopg has parsed it already
        return value


class WithoutDocument(models.Manager[Row]):
    """Loads rows without their `document`, which can be megabytes; reading the attribute loads it."""

    use_in_migrations = False

    def get_queryset(self) -> models.QuerySet[Row]:
        return super().get_queryset().defer("document")


def apart(field: str) -> Func:
    """A field's words for full text search: `/users/{id}/listOrders` as `users id list Orders`."""
    camel = Func(F(field), Value("([a-z0-9])([A-Z])"), Value(r"\1 \2"), Value("g"), function="regexp_replace")
    blank = (Value("[^[:alnum:]]+"), Value(" "), Value("g"))
    return Func(camel, *blank, function="regexp_replace", output_field=TextField())
