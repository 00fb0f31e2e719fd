"""`apis`, `backends`, `versions`, `operations`."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiTypes, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from apis import backends, document_settings, operations, versions
from apis.addresses import set_execute_api_endpoint
from apis.backend_probe import probe
from apis.import_document import fetch_document
from apis.models import Api, ApiVersion, Backend, Operation
from apis.queries import version_document_for_readers
from apis.version_changes import changes_to_deploy
from rest.filtersets import ApiFilters, BackendFilters, OperationFilters, VersionFilters
from rest.parsers import MAX_BODY_BYTES, JsonParser, TooLarge, UploadParser
from rest.serializers.apis import (
    ApiChange,
    ApiInput,
    ApiSerializer,
    BackendChange,
    BackendInput,
    BackendSerializer,
    ChangeSerializer,
    DeprecateInput,
    OperationChange,
    OperationInput,
    OperationSerializer,
    ProbeSerializer,
    VersionChange,
    VersionInput,
    VersionSerializer,
)
from rest.serializers.base import Nothing
from rest.serializers.policies import (
    DocumentPolicySerializer,
    DocumentSettingsChange,
    DocumentSettingsSerializer,
    PolicyInput,
)
from rest.views.base import Changeable, Creatable, Listed, Made, Readable, Removable, Resource, act
from rest.views.client_certificates import CERTIFICATE_INPUTS, ClientCertificateActions


class ApiViews(Listed, Readable, Creatable, Changeable, Resource):
    """Products: names in the catalogue under which versions are published."""

    model, noun, nouns, tag = Api, "API", "APIs", "apis"
    serializer_class = ApiSerializer
    create_input, change_input = ApiInput, ApiChange
    filterset_class = ApiFilters
    ordering_fields = ("name", "slug", "created_at")
    search_fields = ("name", "slug", "summary")

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        return versions.create_api(organization=organization, actor=self.caller.user, **data)

    def change(self, row: Api, data: dict[str, Any]) -> None:
        versions.change_api(api=row, actor=self.caller.user, **data)


class BackendViews(ClientCertificateActions, Listed, Readable, Creatable, Changeable, Resource):
    """The provider's servers. A change of URL or timeouts holds on every stage at once."""

    model, noun, nouns, tag = Backend, "backend", "backends", "apis"
    serializer_class = BackendSerializer
    create_input, change_input = BackendInput, BackendChange
    action_inputs: ClassVar = CERTIFICATE_INPUTS
    filterset_class = BackendFilters
    ordering_fields = ("name", "created_at")
    search_fields = ("name", "url")

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        return backends.create_backend(organization=organization, actor=self.caller.user, **data)

    def change(self, row: Backend, data: dict[str, Any]) -> None:
        backends.change_backend(backend=row, actor=self.caller.user, **data)

    @extend_schema(request=None, responses={200: ProbeSerializer})
    @act()
    def probe(self, request: Request, pk: str) -> Response:
        """Try its URL from the control plane: name, connection, TLS, one GET. Takes up to 10 seconds or so."""
        return Response(ProbeSerializer(probe(self.get_object().url)).data)


def document_of(data: dict[str, Any]) -> Any:
    """Return the document that the input gives in one of three ways; None = it gives none."""
    if "document_url" in data:
        return fetch_document(data["document_url"])
    if "file" in data:
        if data["file"].size > MAX_BODY_BYTES:
            raise TooLarge(f"The document is larger than {MAX_BODY_BYTES // 1024 // 1024} MiB.")
        return data["file"].read()
    return data.get("document")


class VersionViews(Listed, Readable, Creatable, Changeable, Resource):
    """Versions of APIs. Each is an OpenAPI document: import it by URL, inline or as an upload."""

    model, noun, nouns, tag = ApiVersion, "version", "versions", "versions"
    serializer_class = VersionSerializer
    parser_classes = (JsonParser, UploadParser)
    takes_uploads: ClassVar = ("create", "partial_update")
    create_input, change_input = VersionInput, VersionChange
    action_inputs: ClassVar[dict[str, type[Serializer]]] = {
        "deprecate": DeprecateInput,
        "retire": Nothing,
        "reinstate": Nothing,
        "change_settings": DocumentSettingsChange,
    }
    action_outputs: ClassVar = dict.fromkeys(("read_settings", "change_settings"), DocumentSettingsSerializer)
    filterset_class = VersionFilters
    ordering_fields = ("name", "state", "created_at", "updated_at")
    search_fields = ("name", "api__name", "api__slug")

    def make(self, data: dict[str, Any]) -> Made:
        return versions.create_version(
            api=data["api"],
            name=data["name"],
            document=document_of(data),
            backend=data.get("backend"),
            key_required=data["key_required"],
            actor=self.caller.user,
        )

    def change(self, row: ApiVersion, data: dict[str, Any]) -> None:
        document = document_of(data)
        if document is not None:
            versions.replace_document(version=row, document=document, actor=self.caller.user)
        if "backend" in data:
            versions.set_backend(version=row, backend=data["backend"], actor=self.caller.user)
        if "key_required" in data:
            versions.set_key_default(version=row, required=data["key_required"], actor=self.caller.user)
        if "disable_execute_api_endpoint" in data:
            disabled = data["disable_execute_api_endpoint"]
            set_execute_api_endpoint(version=row, disabled=disabled, actor=self.caller.user)

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    @action(detail=True)
    def document(self, request: Request, pk: str) -> Response:
        """The OpenAPI document as it was imported, with its extensions."""
        return Response(self.get_object().document)

    @extend_schema(responses={200: OpenApiTypes.OBJECT})
    @action(detail=True)
    def reference(self, request: Request, pk: str) -> Response:
        """The OpenAPI document as developers read it: the gateway's address and the key, no extensions."""
        return Response(version_document_for_readers(self.get_object()))

    @extend_schema(responses={200: ChangeSerializer(many=True)}, filters=False)
    @action(detail=True, pagination_class=None)
    def changes(self, request: Request, pk: str) -> Response:
        """What a deploy to the live stage would change for callers; `breaking` first. Empty = nothing."""
        return Response(ChangeSerializer(changes_to_deploy(self.get_object()) or [], many=True).data)

    @action(detail=True, url_path="settings")
    def read_settings(self, request: Request, pk: str) -> Response:
        """What the document says for all operations: policy, key source, gateway responses, compression."""
        return self._settings(self.get_object())

    @read_settings.mapping.patch
    def change_settings(self, request: Request, pk: str) -> Response:
        """Write policies into the document; they go live with the next deployment."""
        version, fields = self.target()
        document_settings.change_document_settings(version=version, actor=self.caller.user, **fields)
        return self._settings(version)

    @staticmethod
    def _settings(version: ApiVersion) -> Response:
        found = document_settings.document_settings(version)
        return Response(DocumentSettingsSerializer(found).data)

    @act()
    def deprecate(self, request: Request, pk: str) -> Response:
        """Mark a published version as deprecated; it goes on answering."""
        return self._run(versions.deprecate)

    @act()
    def retire(self, request: Request, pk: str) -> Response:
        """Stop serving a version; its stages and deployments stay."""
        return self._run(versions.retire)

    @act()
    def reinstate(self, request: Request, pk: str) -> Response:
        """Take back a deprecation or a retirement."""
        return self._run(versions.reinstate)

    def _run(self, verb: Any) -> Response:
        version, fields = self.target()
        verb(version=version, actor=self.caller.user, **fields)
        return self.answer(version)


class OperationViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """The operations of versions. They stand in the document, and every change here is an edit of it."""

    model, noun, nouns, tag = Operation, "operation", "operations", "versions"
    serializer_class = OperationSerializer
    related = ("version",)
    create_input, change_input = OperationInput, OperationChange
    http_method_names = [*Resource.http_method_names, "put"]
    action_inputs: ClassVar = {"set_policy": PolicyInput}
    action_outputs: ClassVar = dict.fromkeys(("policy", "set_policy"), DocumentPolicySerializer)
    filterset_class = OperationFilters
    ordering_fields = ("position", "path", "method")
    search_fields = ("path", "operation_id", "summary", "tag")

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().defer("version__document")

    def make(self, data: dict[str, Any]) -> Made:
        return operations.add_operation(actor=self.caller.user, **data)

    def change(self, row: Operation, data: dict[str, Any]) -> None:
        if "summary" in data:
            operations.set_summary(operation=row, summary=data["summary"], actor=self.caller.user)
        if "key_required" in data:
            versions.set_key_required(operation=row, required=data["key_required"], actor=self.caller.user)

    def remove(self, row: Operation) -> None:
        """Take it out of the document; it stays in lists, with `removed_at`, because usage names it."""
        operations.remove_operation(operation=row, actor=self.caller.user)

    @action(detail=True)
    def policy(self, request: Request, pk: str) -> Response:
        """The policy that the version's document gives this operation."""
        return self._policy(self.get_object())

    @policy.mapping.put
    def set_policy(self, request: Request, pk: str) -> Response:
        """Write this operation's policy into the document; it goes live with the next deployment."""
        operation = self.get_object()
        data = self.read_input(lambda: self._policy(operation).data)
        document_settings.set_document_policy(
            operation=operation, policy=data["policy"], actor=self.caller.user
        )
        return self._policy(operation)

    @extend_schema(request=None, responses={204: None})
    @policy.mapping.delete
    def remove_policy(self, request: Request, pk: str) -> Response:
        """Take this operation's policy out of the document."""
        operation = self.get_object()
        document_settings.set_document_policy(operation=operation, policy=None, actor=self.caller.user)
        return Response(status=204)

    @staticmethod
    def _policy(operation: Operation) -> Response:
        found = document_settings.document_policy(operation)
        return Response(DocumentPolicySerializer({"operation": operation.pk, "policy": found}).data)
