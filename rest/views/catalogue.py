"""`catalogue`: what a developer finds, whoever provides it."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from access.queries import open_plans
from apis.models import Api
from apis.queries import catalogue, seen_by, version_document_for_readers
from rest.filtersets import CatalogueFilters
from rest.serializers.catalogue import OfferSerializer
from rest.views.base import Listed, Readable, Resource


class CatalogueViews(Listed, Readable, Resource):
    """APIs that you may call, with their versions and the plans to subscribe to."""

    model, noun, nouns, tag = Api, "API of the catalogue", "APIs of the catalogue", "catalogue"
    serializer_class = OfferSerializer
    ordering_fields = ("name", "slug")
    filterset_class = CatalogueFilters
    search_fields = ("name", "slug", "summary", "category")

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return Api.objects.none()
        caller = self.caller
        seen = catalogue(caller.user)
        # the person may be a member elsewhere too; a token acts for one organization only
        if not caller.everything:
            seen = seen.filter(seen_by(caller.user, acting_for=caller.organization))
        plans = open_plans(caller.user).prefetch_related(None)
        return seen.prefetch_related(Prefetch("versions__stages__usage_plans", plans))

    @extend_schema(
        operation_id="catalogue_document",
        responses={200: OpenApiTypes.OBJECT},
        parameters=[
            OpenApiParameter("version", str, OpenApiParameter.PATH, description="Name of the version.")
        ],
    )
    @action(detail=True, url_path=r"(?P<version>[A-Za-z0-9_-]+)")
    def document(self, request: Request, pk: str, version: str) -> Response:
        """The OpenAPI document of a version as developers read it."""
        api = self.get_object()
        found = next((offered for offered in api.versions.all() if offered.name == version), None)
        if found is None:
            raise Http404
        return Response(version_document_for_readers(found))
