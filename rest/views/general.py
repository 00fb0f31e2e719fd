"""The index, the meaning of problems, and what answers unknown paths."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse as absolute

from rest.problem_types import ProblemType
from rest.views.base import Open

# the reference page loads nothing from elsewhere and runs no script that lies in the page
REFERENCE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class IndexView(Open):
    """Where everything is."""

    names: tuple[str, ...] = ()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Links to every list, the OpenAPI document and its reference page."""
        links = {name: absolute(f"rest:{name}-list", request=request) for name in self.names}
        links["requests"] = absolute("rest:requests", request=request)
        links["usage"] = absolute("rest:usage", request=request)
        return Response(
            {
                "name": "Gatehouse management API",
                "openapi": absolute("rest:openapi", request=request),
                "docs": absolute("rest:docs", request=request),
                "problems": absolute("rest:problems", request=request),
                "resources": links,
            }
        )


class ProblemsView(Open):
    """The problems that this API can answer."""

    @extend_schema(exclude=True)
    def get(self, request: Request, name: str = "") -> Response:
        """One problem, or all of them."""
        found = [_described(kind) for kind in ProblemType if name in ("", kind.slug)]
        if not found:
            raise Http404
        return Response(found[0] if name else found)


def _described(kind: ProblemType) -> dict[str, Any]:
    return {"type": kind.uri, "status": kind.status, "title": kind.title, "meaning": kind.meaning}


class UnknownView(Open):
    """Any path that nothing else answers."""

    @extend_schema(exclude=True)
    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.http_method_names = [request.method.lower()]
        setattr(self, request.method.lower(), self.refuse)
        return super().dispatch(request, *args, **kwargs)

    def refuse(self, request: Request, **kwargs: Any) -> Response:
        raise Http404


class OpenApiView(Open, SpectacularJSONAPIView):
    """The OpenAPI 3.1 document."""


class ReferenceView(Open, SpectacularSwaggerSplitView):
    """The reference page, made from the document by Swagger UI."""

    url_name = "rest:openapi"

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Content-Security-Policy"] = REFERENCE_POLICY
        return response
