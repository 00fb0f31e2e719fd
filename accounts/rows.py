"""What every verb does with a row: check its fields, apply changes, and say so when something is taken."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, models, transaction
from psycopg.errors import UniqueViolation

from accounts.errors import Refused

Changes = dict[str, list[Any]]
Row = TypeVar("Row", bound=models.Model)


def check_fields(row: models.Model) -> None:
    """Raise Refused at the first field whose value its own validators do not take."""
    # relations are rows in the verb's hands, so looking them up again would only cost queries
    relations = [field.name for field in row._meta.fields if field.is_relation]
    try:
        row.clean_fields(exclude=relations)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise Refused(" ".join(messages), field=field) from error


def assign(row: models.Model, fields: Mapping[str, Any], *, allowed: Iterable[str]) -> Changes:
    """Set the fields on the row and return what differs, as field -> [old, new], ready for the audit trail.

    Nothing is saved. A field that is not `allowed` is a programmer's mistake: TypeError.
    """
    unknown = set(fields) - set(allowed)
    if unknown:
        raise TypeError(f"{row._meta.model_name} has no changeable {', '.join(sorted(unknown))}")
    changes: Changes = {}
    for name, value in fields.items():
        old = getattr(row, name)
        if old != value:
            setattr(row, name, value)
            changes[name] = [readable(old), readable(value)]
    return changes


def readable(value: Any) -> Any:
    """Return the value as JSON can hold it: moments and decimals become texts, rows their names."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, models.Model):
        return str(value)
    if isinstance(value, list | tuple):
        return [readable(each) for each in value]
    if isinstance(value, dict):
        return {name: readable(each) for name, each in value.items()}
    return DjangoJSONEncoder().default(value)


@contextmanager
def taken_is_refused(message: str, *, field: str) -> Iterator[None]:
    """Turn a clash with a unique constraint into Refused, so that two clicks at once cannot both win."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if isinstance(error.__cause__, UniqueViolation):
            raise Refused(message, field=field, code="taken") from error
        raise


def locked(row: Row) -> Row:
    """Return the row as it is now, locked until the transaction ends."""
    return type(row)._default_manager.select_for_update(of=("self",)).get(pk=row.pk)
