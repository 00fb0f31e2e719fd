"""Filters of lists. A parameter that is misspelled is refused: a filter that is ignored shows too much."""

from difflib import get_close_matches
from typing import Any

from django.db.models import QuerySet
from django_filters.rest_framework import DjangoFilterBackend, FilterSet
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.request import Request
from rest_framework.views import APIView

PAGING = ("limit", "offset")


def near_match(name: str, known: list[str]) -> str:
    """Return " Did you mean x?" when one of the known names is close, else what there is."""
    close = get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f" Did you mean `{close[0]}`?"
    return f" Known: {', '.join(sorted(known))}." if known else " None are taken here."


def refuse_unknown_parameters(request: Request, known: list[str]) -> None:
    """Raise for query parameters that the view does not know."""
    errors = {
        name: [f"Unknown query parameter.{near_match(name, known)}"]
        for name in request.query_params
        if name not in known
    }
    if errors:
        raise ValidationError(errors, code="unknown_parameter")


class Fields(DjangoFilterBackend):
    """One parameter for each filter of the view's `filterset_class`."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        filterset: FilterSet | None = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise ValidationError(
                {
                    name: [ErrorDetail(" ".join(one.messages), one.code or "invalid") for one in found]
                    for name, found in filterset.errors.as_data().items()
                }
            )
        return filterset.qs


class Ordering(OrderingFilter):
    """`ordering=name` or `ordering=-created_at`; equal rows are ordered by id, so pages never overlap."""

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: APIView) -> list[str]:
        given = request.query_params.get(self.ordering_param, "")
        known = list(getattr(view, "ordering_fields", ()))
        wanted = [name.strip() for name in given.split(",") if name.strip()]
        for name in wanted:
            if name.lstrip("-") not in known:
                message = f"`{name}` cannot be sorted by.{near_match(name.lstrip('-'), known)}"
                raise ValidationError({"ordering": [message]}, code="unknown_field")
        return [*(wanted or queryset.model._meta.ordering), "pk"]


class Search(SearchFilter):
    """`search=text` looks into the view's `search_fields`."""


BACKENDS = (Fields, Ordering, Search)


def known_parameters(view: APIView) -> list[str]:
    """Return the query parameters that a list takes."""
    known = [*PAGING]
    if getattr(view, "ordering_fields", None):
        known.append("ordering")
    if getattr(view, "search_fields", None):
        known.append("search")
    filterset: type[FilterSet] | None = getattr(view, "filterset_class", None)
    return known + (list(filterset.base_filters) if filterset else [])
