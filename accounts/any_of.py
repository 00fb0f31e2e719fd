"""Filters by many ids at once."""

from collections.abc import Iterable

from django.db.models import BooleanField, F, Func, Value


def any_of(column: str, ids: Iterable[str | None]) -> Func:
    """Return a condition for `filter`: the column is one of the ids, which are letters and digits.

    For hundreds of ids it is several times faster than `__in`, which makes each of them a parameter.
    """
    text = "{" + ",".join([f'"{pk}"' for pk in ids if pk is not None]) + "}"
    return _Any(F(column), Value(text), output_field=BooleanField())


class _Any(Func):
    arg_joiner = " = ANY("
    template = "(%(expressions)s::text[]))"
