"""A policy that cannot be used, as the verbs' one way to say no."""

from collections.abc import Iterator
from contextlib import contextmanager

from accounts.errors import Refused
from apis.policy import PolicyError


@contextmanager
def policies_are_refused() -> Iterator[None]:
    """Turn a PolicyError into Refused, with its dotted path as the field."""
    try:
        yield
    except PolicyError as error:
        raise Refused(error.message, field=error.field) from error
