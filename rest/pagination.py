"""Lists come in pages: `limit` (default 25, at most 500) and `offset`; follow `next` until it is null."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.views import APIView


class Pages(LimitOffsetPagination):
    """`{"count", "next", "previous", "results"}`."""

    default_limit = 25
    max_limit = 500
    limit_query_description = "How many rows an answer holds, 1 to 500."
    offset_query_description = "How many rows to skip; `next` and `previous` carry it for you."

    def paginate_queryset(
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> list[Any] | None:
        self._check(request, "limit", 1, self.max_limit)
        self._check(request, "offset", 0, 10_000_000)
        return super().paginate_queryset(queryset, request, view)

    @staticmethod
    def _check(request: Request, name: str, low: int, high: int) -> None:
        given = request.query_params.get(name)
        if given is None:
            return
        if not (given.isascii() and given.isdigit() and low <= int(given) <= high):
            raise ValidationError({name: [f"Give a whole number from {low} to {high}."]}, code="out_of_range")

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "description": "All rows that the filters let through."},
                "next": link | {"description": "Address of the next page, null at the end."},
                "previous": link | {"description": "Address of the page before, null at the start."},
                "results": schema,
            },
        }
