"""`deployments`, `stages`, `base-path-mappings`."""

from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apis import publish
from apis.models import BasePathMapping, Deployment, Operation, Stage
from apis.stage_policies import effective_policy, policy_levels
from rest.filtersets import DeploymentFilters, MappingFilters, StageFilters
from rest.serializers.base import Nothing
from rest.serializers.policies import OperationPolicySerializer, PolicyInput
from rest.serializers.publish import (
    CanaryChange,
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
    http_method_names = [*Resource.http_method_names, "put"]
    action_inputs: ClassVar = {
        "promote": PromoteInput,
        "roll_back": RollBackInput,
        "canary": CanaryChange,
        "promote_canary": Nothing,
        "flush_cache": Nothing,
        "set_operation_policy": PolicyInput,
    }
    action_outputs: ClassVar = dict.fromkeys(
        (
            "retrieve",
            "partial_update",
            "promote",
            "roll_back",
            "canary",
            "remove_canary",
            "promote_canary",
            "flush_cache",
        ),
        StageDetailSerializer,
    ) | dict.fromkeys(("operation_policy", "set_operation_policy"), OperationPolicySerializer)
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

    @action(detail=True, methods=["patch"])
    def canary(self, request: Request, pk: str) -> Response:
        """Start or change the canary: another deployment that gets part of the stage's calls.

        Until it is removed, deployments to the stage go to the canary.
        """
        stage, data = self.target()
        return self.answer(publish.set_canary(stage=stage, actor=self.caller.user, **data))

    @canary.mapping.delete
    def remove_canary(self, request: Request, pk: str) -> Response:
        """Take the canary away; answers with the stage."""
        return self.answer(publish.remove_canary(stage=self.get_object(), actor=self.caller.user))

    @act()
    def promote_canary(self, request: Request, pk: str) -> Response:
        """Give every call what the canary has; the canary stays at 0 percent until it is removed."""
        stage, _ = self.target()
        return self.answer(publish.promote_canary(stage=stage, actor=self.caller.user))

    @act()
    def flush_cache(self, request: Request, pk: str) -> Response:
        """Forget every answer that the stage has in its cache, on every node."""
        stage, _ = self.target()
        return self.answer(publish.flush_cache(stage=stage, actor=self.caller.user))

    @action(detail=True, url_path="operations/(?P<operation>[a-z0-9]{10})/policy")
    def operation_policy(self, request: Request, pk: str, operation: str) -> Response:
        """An operation's own policy on this stage, and what holds for it."""
        return self._operation_policy(self.get_object(), self._operation(operation))

    @operation_policy.mapping.put
    def set_operation_policy(self, request: Request, pk: str, operation: str) -> Response:
        """Give an operation a policy of its own on this stage; it holds at once."""
        stage, row = self.get_object(), self._operation(operation)
        data = self.read_input(lambda: self._operation_policy(stage, row).data)
        publish.set_operation_policy(
            stage=stage, operation=row, policy=data["policy"], actor=self.caller.user
        )
        return self._operation_policy(stage, row)

    @extend_schema(request=None, responses={204: None})
    @operation_policy.mapping.delete
    def remove_operation_policy(self, request: Request, pk: str, operation: str) -> Response:
        """Take an operation's own policy on this stage away."""
        stage, row = self.get_object(), self._operation(operation)
        publish.set_operation_policy(stage=stage, operation=row, policy=None, actor=self.caller.user)
        return Response(status=204)

    def _operation(self, pk: str) -> Operation:
        found = self.caller.visible(Operation).filter(pk=pk, version=self.get_object().version_id).first()
        if found is None:
            raise Http404
        return found

    @staticmethod
    def _operation_policy(stage: Stage, operation: Operation) -> Response:
        levels = policy_levels(stage, operation)
        answer = {
            "operation": operation.pk,
            "policy": levels["stage_operation"],
            "effective": effective_policy(stage, operation),
            "levels": levels,
        }
        return Response(OperationPolicySerializer(answer).data)


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
