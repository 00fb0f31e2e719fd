"""How the API describes itself (OpenAPI 3.1, drf-spectacular)."""

import re
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from rest.problem_types import ProblemType

PROBLEM_MEDIA = "application/problem+json"
UPLOAD_MEDIA = "multipart/form-data"


class ProblemErrorSerializer(serializers.Serializer):
    """One input at fault."""

    field = serializers.CharField(
        help_text="Dotted path of the field, or the query parameter; empty = the whole."
    )
    code = serializers.CharField(help_text="Stable word for programs, such as required or unknown_field.")
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """A problem document (RFC 9457)."""

    type = serializers.CharField(help_text="Path that tells what this kind of problem means.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    instance = serializers.CharField(help_text="Path of the request.")
    request_id = serializers.CharField()
    errors = ProblemErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class BearerScheme(OpenApiAuthenticationExtension):
    """`Authorization: Bearer gat_…`."""

    target_class = "rest.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of the console (`gat_…`). It acts for one member of one organization.",
        }


class Schema(AutoSchema):
    """Reads inputs, outputs and words off our views."""

    def get_request_serializer(self) -> Any:
        return self._from_view("input_class")

    def get_response_serializers(self) -> Any:
        return self._from_view("output_class")

    def _from_view(self, name: str) -> Any:
        reader = getattr(self.view, name, None)
        return reader() if reader else None

    def get_examples(self) -> list[OpenApiExample]:
        # late: examples import serializers, which need settings that name this module
        from rest.examples import EXAMPLES  # noqa: PLC0415

        reader = self.get_request_serializer()
        example = EXAMPLES.get(reader["application/json"] if isinstance(reader, dict) else reader)
        return [OpenApiExample("example", value=example, request_only=True)] if example else []

    def map_parsers(self) -> list[str]:
        takes = getattr(self.view, "action", "") in getattr(self.view, "takes_uploads", ())
        return [media for media in super().map_parsers() if media != UPLOAD_MEDIA or takes]

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "tag", "") or super().get_tags()[0]]

    def get_summary(self) -> str | None:
        action, noun = getattr(self.view, "action", None), getattr(self.view, "noun", "")
        plain = {
            "list": f"List {getattr(self.view, 'nouns', '')}",
            "retrieve": f"Read {_article(noun)}",
            "create": f"Make {_article(noun)}",
            "partial_update": f"Change {_article(noun)}",
            "destroy": f"Remove {_article(noun)}",
        }
        return plain.get(action or "") or self._doc().split("\n")[0].split(". ")[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]
        inherited = getattr(self.view, "action", None) in (
            "list",
            "retrieve",
            "create",
            "partial_update",
            "destroy",
        )
        text = (type(self.view).__doc__ or "") if inherited else self._doc()
        return _unfolded(text)

    def _doc(self) -> str:
        method = getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)
        return (method.__doc__ or type(self.view).__doc__ or "").strip()

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for kind in self._problems():
            made = self._get_response_for_code(
                OpenApiResponse(ProblemSerializer, description=kind.title),
                str(kind.status),
                media_types=[PROBLEM_MEDIA],
            )
            bodies.setdefault(str(kind.status), made)
        return bodies

    def _problems(self) -> list[ProblemType]:
        found = [ProblemType.UNAUTHENTICATED, ProblemType.FORBIDDEN]
        if "{" in self.path:
            found.append(ProblemType.NOT_FOUND)
        if self.method in ("POST", "PUT", "PATCH"):
            found += [ProblemType.MALFORMED, ProblemType.UNSUPPORTED_MEDIA_TYPE]
        if self.method != "GET":
            found.append(ProblemType.CONFLICT)
        return sorted([*found, ProblemType.INVALID_INPUT], key=lambda kind: kind.status)


def describe_ours(endpoints: list[tuple[str, str, str, Any]], **_: Any) -> list[Any]:
    """Describe the paths of this room, once each: without the slash that the router also takes at the end."""
    return [
        (path.rstrip("/"), path_regex, method, view)
        for path, path_regex, method, view in endpoints
        if view.cls.__module__.startswith("rest.")
    ]


def _article(noun: str) -> str:
    return f"{'an' if re.match('[aeio]|API', noun) else 'a'} {noun}"


def _unfolded(text: str) -> str:
    """Join the lines of a docstring's paragraphs."""
    paragraphs = re.split(r"\n\s*\n", text.strip())
    return "\n\n".join(" ".join(line.strip() for line in part.splitlines()) for part in paragraphs)
