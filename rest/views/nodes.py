"""`nodes`: the gateway nodes of the installation, for its staff."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from nodes import registry
from nodes.installation import change_installation, installation
from nodes.models import Node
from rest.filtersets import NodeFilters
from rest.permissions import Need
from rest.serializers.base import Nothing
from rest.serializers.nodes import (
    InstallationSerializer,
    MadeNodeSerializer,
    NodeInput,
    NodeSerializer,
)
from rest.views.base import Creatable, Guarded, Listed, Made, Readable, Resource, act


class NodeViews(Listed, Readable, Creatable, Resource):
    """Gateway nodes. Only staff of the installation see them."""

    model, noun, nouns, tag = Node, "node", "nodes", "nodes"
    serializer_class = NodeSerializer
    create_input = NodeInput
    action_inputs: ClassVar = {"enable": Nothing, "disable": Nothing, "renew_token": Nothing}
    action_outputs: ClassVar = {"create": MadeNodeSerializer, "renew_token": MadeNodeSerializer}
    filterset_class = NodeFilters
    ordering_fields = ("name", "last_seen_at", "created_at")
    search_fields = ("name",)
    read_need = Need.STAFF
    write_need = Need.STAFF

    def get_queryset(self) -> QuerySet[Any]:
        return Node.objects.all()

    def make(self, data: dict[str, Any]) -> Made:
        node, text = registry.create_node(name=data["name"], actor=self.caller.user)
        return node, {"token": text}

    @act()
    def enable(self, request: Request, pk: str) -> Response:
        """Let a node in again."""
        return self._run(registry.enable_node)

    @act()
    def disable(self, request: Request, pk: str) -> Response:
        """Refuse a node: it serves on from what it has, but gets nothing new and delivers no counts."""
        return self._run(registry.disable_node)

    @act()
    def renew_token(self, request: Request, pk: str) -> Response:
        """Give the node a new token, shown this once; the old one ends now."""
        node, _ = self.target()
        return self.answer(node, token=registry.renew_token(node=node, actor=self.caller.user))

    def _run(self, verb: Any) -> Response:
        node, _ = self.target()
        verb(node=node, actor=self.caller.user)
        return self.answer(node)


class InstallationView(Guarded):
    """Limits over everything. Only staff of the installation see them."""

    tag = "nodes"
    http_method_names = ["get", "patch", "head"]
    read_need = Need.STAFF
    write_need = Need.STAFF

    @extend_schema(operation_id="installation_read", responses=InstallationSerializer)
    def get(self, request: Request) -> Response:
        """Read the installation's own limits. The throttle holds over all APIs and all nodes together."""
        return Response(InstallationSerializer(installation()).data)

    @extend_schema(
        operation_id="installation_change", request=InstallationSerializer, responses=InstallationSerializer
    )
    def patch(self, request: Request) -> Response:
        """Change the installation's own limits; they hold at once. A half-set throttle is refused."""
        now = installation()
        reader = InstallationSerializer(data=request.data, partial=True, context={"request": request})
        reader.is_valid(raise_exception=True)
        wanted = {"throttle_rate": now.throttle_rate, "throttle_burst": now.throttle_burst}
        row = change_installation(actor=self.caller.user, **(wanted | reader.validated_data))
        return Response(InstallationSerializer(row).data)
