"""Form fields of this room, for the admin console and the website."""

from collections.abc import Iterable
from typing import Any

from django import forms


class LinesField(forms.CharField):
    """A list of texts, one on each line (or with commas between); rules for the texts are the verbs' own."""

    widget = forms.Textarea(attrs={"rows": 3})

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, Iterable) and not isinstance(value, str):
            return "\n".join(value)
        return value

    def to_python(self, value: Any) -> Any:
        return (super().to_python(value) or "").replace(",", " ").split()

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(initial or []) != self.to_python(data)
