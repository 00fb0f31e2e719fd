"""`deployments`, `stages`, `base-path-mappings`."""

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from apis import publish
from apis.models import BasePathMapping, Deployment, Stage
from rest.filtersets import DeploymentFilters, MappingFilters, StageFilters
from rest.serializers.publish import (
    DeploymentInput,
    DeploymentSerializer,
    MappingChange,
    MappingInput,
    MappingSerializer,
    PromoteInput,
    RollBackInput,
    StageChange,
    StageDetailSerializer,
    StageSerializer,
)
from rest.views.base import Changeable, Creatable, Listed, Made, Readable, Removable, Resource, act


class DeploymentViews(Listed, Readable, Creatable, Resource):
    """Frozen copies of versions. Making one moves a stage to it: the version is live within a second."""

    model, noun, nouns, tag = Deployment, "deployment", "deployments", "deployments"
    serializer_class = DeploymentSerializer
    related = ("created_by",)
    create_input = DeploymentInput
    filterset_class = DeploymentFilters
    ordering_fields = ("number", "created_at")
    search_fields = ("note",)

    def get_queryset(self) -> QuerySet[Any]:
        stages = Stage.objects.select_related("version__api").defer("version__document")
        return (
            super()
            .get_queryset()
            .defer("compiled", "document")
            .prefetch_related(Prefetch("stages", stages), "stages__mappings")
        )

    def make(self, data: dict[str, Any]) -> Made:
        return publish.deploy(
            version=data["version"], stage_name=data["stage"], note=data["note"], actor=self.caller.user
        )


class StageViews(Listed, Readable, Changeable, Resource):
    """Movable pointers to deployments. A deployment makes them; their settings hold at once."""

    model, noun, nouns, tag = Stage, "stage", "stages", "deployments"
    serializer_class = StageSerializer
    related = ("version__api",)
    change_input = StageChange
    action_inputs: ClassVar = {"promote": PromoteInput, "roll_back": RollBackInput}
    action_outputs: ClassVar = dict.fromkeys(
        ("retrieve", "partial_update", "promote", "roll_back"), StageDetailSerializer
    )
    filterset_class = StageFilters
    ordering_fields = ("name", "created_at", "updated_at")
    search_fields = ("name", "version__name", "version__api__name", "version__api__slug")

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().defer("version__document").prefetch_related("mappings")

    def get_serializer_class(self) -> Any:
        return self.output_class()

    def change(self, row: Stage, data: dict[str, Any]) -> None:
        publish.change_stage(stage=row, actor=self.caller.user, **data)

    @act()
    def promote(self, request: Request, pk: str) -> Response:
        """Point another stage of the version (made if it is missing) to this stage's deployment.

        Answers with that other stage.
        """
        stage, data = self.target()
        to = data["to"]
        known = self.caller.visible(Stage).filter(pk=to, version=stage.version_id).first()
        return self.answer(publish.promote(stage=stage, to=known or to, actor=self.caller.user))

    @act()
    def roll_back(self, request: Request, pk: str) -> Response:
        """Point the stage to an earlier deployment of its version."""
        stage, data = self.target()
        return self.answer(publish.roll_back(stage=stage, actor=self.caller.user, **data))


class MappingViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Addresses of stages besides the canonical one: a host (or any) and a base path."""

    model, noun, nouns, tag = BasePathMapping, "base path mapping", "base path mappings", "deployments"
    serializer_class = MappingSerializer
    create_input, change_input = MappingInput, MappingChange
    filterset_class = MappingFilters
    ordering_fields = ("host", "base_path")
    search_fields = ("host", "base_path")

    def make(self, data: dict[str, Any]) -> Made:
        return publish.map_base_path(actor=self.caller.user, **data)

    def change(self, row: BasePathMapping, data: dict[str, Any]) -> None:
        if "stage" in data:
            publish.move_base_path(mapping=row, stage=data["stage"], actor=self.caller.user)

    def remove(self, row: BasePathMapping) -> None:
        publish.unmap(mapping=row, actor=self.caller.user)
