"""Verbs say no by raising `Refused`; where there is no form to show it in, it becomes a message."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib import messages
from django.http import HttpRequest

from accounts.errors import Refused


@contextmanager
def refusal_as_message(request: HttpRequest) -> Iterator[None]:
    """Leave the block at a refusal, and tell it on the next page that is shown."""
    try:
        yield
    except Refused as refused:
        messages.error(request, refused.message)
