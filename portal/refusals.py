"""Verbs say no by raising `Refused`; here it becomes a message at the field, or a banner."""

from collections.abc import Iterator
from contextlib import contextmanager

from django import forms

from accounts.errors import Refused


@contextmanager
def refusals_to(form: forms.BaseForm) -> Iterator[None]:
    """Put a refusal on the form: at its field if the form has it, else above the form. Input is kept."""
    try:
        yield
    except Refused as refused:
        field = refused.field if refused.field in form.fields else None
        form.add_error(field, refused.message)
