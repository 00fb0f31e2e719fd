"""Reading input strictly, and pointing at other things by their id."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

from rest.caller import Caller
from rest.filters import near_match


class Strict(serializers.Serializer):
    """Refuses fields that it does not know, naming the near match: a misspelled setting must not be lost."""

    unknown = ("Unknown field.", "unknown_field")

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) or hasattr(data, "keys"):
            known = [name for name, field in self.fields.items() if not field.read_only]
            words, code = self.unknown
            errors = {
                str(name): [ErrorDetail(f"{words}{near_match(str(name), known)}", code)]
                for name in data
                if name not in known
            }
            if errors:
                raise serializers.ValidationError(errors)
        return super().to_internal_value(data)


class StrictQuery(Strict):
    """Query parameters."""

    unknown = ("Unknown query parameter.", "unknown_parameter")


class StrictModel(Strict, serializers.ModelSerializer):
    """Strict, with the fields (bounds, choices, help) of a model. Rules across rows are the verbs' own."""

    def get_validators(self) -> list[Any]:
        return []


class Nothing(Strict):
    """The body of an action that needs none."""


class Visible(serializers.PrimaryKeyRelatedField):
    """The id of a row that the caller sees. Somebody else's id is answered like one that is not there."""

    default_error_messages: ClassVar = {
        "does_not_exist": "There is no {noun} {given}, or this token does not see it.",
        "incorrect_type": "Give the id as text.",
    }

    def __init__(
        self, model: type[Model], rows: Callable[[Caller], QuerySet[Any]] | None = None, **kwargs: Any
    ):
        self.model = model
        self.rows = rows
        kwargs.setdefault("queryset", model._default_manager.all())
        super().__init__(**kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        request = self.context.get("request")
        if request is None:
            return self.model._default_manager.none()
        return self.rows(request.caller) if self.rows else request.caller.visible(self.model)

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or not data.isascii() or not data.isalnum():
            self._missing("of that kind")
        found = self.get_queryset().filter(pk=data).first()
        return found if found is not None else self._missing(data)

    def _missing(self, given: str) -> None:
        self.fail("does_not_exist", noun=self.model._meta.verbose_name, given=given[:20])
