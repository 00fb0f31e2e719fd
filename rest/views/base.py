"""What all views of the API share: request ids, problems, one way to read input and to answer."""

import re
import secrets
from collections.abc import Callable
from typing import Any, ClassVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from rest_framework.decorators import action
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from rest.caller import Caller
from rest.filters import BACKENDS, known_parameters, refuse_unknown_parameters
from rest.permissions import Need, TokenMay

GIVEN_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
Made = Model | tuple[Model, dict[str, Any]]


class Answering(APIView):
    """Gives each request an id (the client's `X-Request-Id` if it is sane) and no cookie-made surprises."""

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        made = super().initialize_request(request, *args, **kwargs)
        given = request.headers.get("X-Request-Id", "")
        made.request_id = (  # type: ignore[attr-defined]
            given if GIVEN_REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(10)}"
        )
        return made

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["X-Request-Id"] = getattr(request, "request_id", "")
        response.setdefault("Cache-Control", "no-store")
        return response


class Open(Answering):
    """A view that needs no token."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class Guarded(Answering):
    """A view that needs a token."""

    permission_classes = (TokenMay,)
    read_need: ClassVar[Need] = Need.READ
    write_need: ClassVar[Need] = Need.MANAGE
    changes_nothing: ClassVar[bool] = False
    action_needs: ClassVar[dict[str, Need]] = {}
    tag: ClassVar[str] = ""

    @property
    def caller(self) -> Caller:
        return self.request.caller  # type: ignore[attr-defined]


class Resource(Guarded, GenericViewSet):
    """A kind of thing: `model`, its serializer for answers, and the serializers for input.

    Rows that the caller does not see are not there: lists leave them out, addresses answer 404.
    """

    model: ClassVar[type[Model]]
    noun: ClassVar[str]
    nouns: ClassVar[str]
    related: ClassVar[tuple[str, ...]] = ()
    create_input: ClassVar[type[Serializer] | None] = None
    change_input: ClassVar[type[Serializer] | None] = None
    action_inputs: ClassVar[dict[str, type[Serializer]]] = {}
    action_outputs: ClassVar[dict[str, type[BaseSerializer]]] = {}
    ordering_fields: ClassVar[tuple[str, ...]] = ()
    search_fields: ClassVar[tuple[str, ...]] = ()
    filter_backends = BACKENDS
    lookup_value_regex: ClassVar[str] = "[a-z0-9]{10}"
    http_method_names = ["get", "post", "patch", "delete", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        refuse_unknown_parameters(request, known_parameters(self) if self.action == "list" else [])

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return self.model._default_manager.none()
        return self.caller.visible(self.model).select_related(*self.related)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return super().filter_queryset(queryset) if self.action == "list" else queryset

    def input_class(self) -> type[Serializer] | None:
        """Return the serializer that reads the body of the current action."""
        return {"create": self.create_input, "partial_update": self.change_input}.get(
            self.action or ""
        ) or self.action_inputs.get(self.action or "")

    def output_class(self) -> type[BaseSerializer] | None:
        """Return the serializer that writes the answer of the current action."""
        return self.action_outputs.get(self.action or "") or self.serializer_class

    def read_input(self, shown: Callable[[], dict[str, Any]] | None = None) -> dict[str, Any]:
        """Return the checked body of the request.

        With `shown`, which returns what GET answers, that may be sent back: fields that cannot be changed are
        passed over while they say what they said.
        """
        found = self.input_class()
        assert found is not None, f"{self.action} reads no body"
        data, fields = self.request.data, found().fields
        if shown is not None and isinstance(data, dict) and data.keys() - fields.keys():
            now = {name: value for name, value in shown().items() if name not in fields}
            kept = [name for name in data if name not in now or data[name] != now[name]]
            data = {name: data[name] for name in kept}
        serializer = found(
            data=data,
            context=self.get_serializer_context(),
            partial=self.action == "partial_update",
        )
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def target(self) -> tuple[Any, dict[str, Any]]:
        """Return the row that an action is about, and the checked body; 404 comes before 422."""
        return self.get_object(), self.read_input()

    def answer(self, row: Model, status: int = 200, **extra: Any) -> Response:
        """Answer with a row, read afresh so that it looks as a later GET will show it."""
        output = self.output_class()
        assert output is not None
        fresh = self.get_queryset().get(pk=row.pk)
        data = output(fresh, context=self.get_serializer_context()).data | extra
        headers = {"Location": self.reverse_action("detail", [row.pk])} if status == 201 else None
        return Response(data, status=status, headers=headers)


class Listed(ListModelMixin):
    """GET on the collection."""


class Readable(RetrieveModelMixin):
    """GET on one."""


class Creatable:
    """POST on the collection; `make` calls the verb and returns the row (and what is shown only once)."""

    def create(self, request: Request) -> Response:
        with transaction.atomic():
            made = self.make(self.read_input())  # type: ignore[attr-defined]
        row, once = made if isinstance(made, tuple) else (made, {})
        return self.answer(row, status=201, **once)  # type: ignore[attr-defined]


class Changeable:
    """PATCH on one; `change` calls the verb."""

    def partial_update(self, request: Request, pk: str) -> Response:
        row = self.get_object()  # type: ignore[attr-defined]

        def shown() -> dict[str, Any]:
            output = self.action_outputs.get("retrieve") or self.serializer_class  # type: ignore[attr-defined]
            return output(row, context=self.get_serializer_context()).data  # type: ignore[attr-defined]

        with transaction.atomic():
            self.change(row, self.read_input(shown))  # type: ignore[attr-defined]
        return self.answer(row)  # type: ignore[attr-defined]


class Removable:
    """DELETE on one; `remove` calls the verb."""

    def destroy(self, request: Request, pk: str) -> Response:
        row = self.get_object()  # type: ignore[attr-defined]
        with transaction.atomic():
            self.remove(row)  # type: ignore[attr-defined]
        return Response(status=204)


def act(name: str | None = None) -> Any:
    """A POST action on one thing, `{collection}/{id}/{name}`."""

    def decorate(method: Any) -> Any:
        return action(detail=True, methods=["post"], url_path=name or method.__name__.replace("_", "-"))(
            method
        )

    return decorate
