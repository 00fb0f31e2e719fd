"""Model fields that every room uses."""

from typing import Any

from django.db import models

from accounts.ids import LENGTH, short_id


class ShortIdField(models.CharField):
    """A primary key of 10 lower-case alphanumerics, made when the row is made."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {
            "primary_key": True,
            "max_length": LENGTH,
            "default": short_id,
            "editable": False,
        }
        super().__init__(**(defaults | kwargs))
