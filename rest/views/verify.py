"""`keys/verify` and `keys/authorize`: is this key valid? Calls that are consumed go to a gateway node."""

from typing import Any

from django.http import HttpResponse
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from rest.authorize import headers_of, key_of, options_of, question, status_of
from rest.forward import NodeAnswer, ask_node
from rest.permissions import Need
from rest.serializers.verify import VerdictSerializer
from rest.serializers.verify_input import AuthorizeQuery, VerifyInput
from rest.verify import answer, find_stage, judge
from rest.views.base import Guarded

CONSUME = "consume"


class Judging(Guarded):
    """Who may ask: every member's token of an organization that is not suspended; a read-only one may only check."""

    tag = "keys"
    changes_nothing = True
    write_need = Need.READ

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.caller.organization.suspended_at is not None:
            raise AuthenticationFailed("The token's organization is suspended.")

    def may(self, mode: str) -> None:
        if mode == CONSUME and self.caller.token.read_only:
            raise PermissionDenied("This token is read-only: it may check keys (mode `check`), not consume.")


class VerifyView(Judging):
    """Key verification for gateways and backends that ask themselves."""

    http_method_names = ["post"]

    @extend_schema(operation_id="keys_verify", request=VerifyInput, responses=VerdictSerializer)
    @sensitive_variables()
    def post(self, request: Request) -> Response | HttpResponse:
        """Judge a key for a stage of an API that you provide; answers 200 whatever the verdict.

        The key is judged in the order existence, state, expiry, scope, place. Mode `check` takes nothing: `limits`
        tells what is left. Mode `consume` takes one call from throttle and quota, at a gateway node (503 when none
        can be reached). Keys of strangers, and stages that are not yours, are NOT_FOUND.

        Gateway nodes answer the same at the same path of their own port, many times faster.
        """
        reader = VerifyInput(data=request.data, context={"request": request})
        reader.is_valid(raise_exception=True)
        asked = reader.validated_data
        self.may(asked["mode"])
        if asked["mode"] == CONSUME:
            return passed_on(ask_node(request, "/api/v1/keys/verify", body=request.data))
        request_id: str = request.request_id  # type: ignore[attr-defined]
        verdict = answer(judge(self.caller, asked, now()), asked, request_id)
        return Response(VerdictSerializer(verdict).data)


def _header(name: str, text: str) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=text)


TOLD = [
    _header("X-Gatehouse-Api", "Instead of the query: `{api}/{version}/{stage}?mode=…`."),
    _header("X-Api-Key", "The client's key (or where the stage's key source says)."),
    _header("X-Gatehouse-Token", "Your token, where `Authorization` is the client's."),
    _header("X-Original-Method", "The client's method, with `as=auth_request`."),
    _header("X-Original-URI", "The client's path, with `as=auth_request`."),
    _header("X-Forwarded-Method", "The client's method."),
    _header("X-Forwarded-Uri", "The client's path."),
    _header("X-Forwarded-For", "Its last address is the client's."),
]
ANSWERS = {
    200: OpenApiResponse(description="The key is valid; headers tell whose it is and what is left."),
    # 401 and 403 too are verdicts; with a body they are about who asks (a problem, as everywhere)
    410: OpenApiResponse(description="The version was retired (API_RETIRED)."),
    429: OpenApiResponse(description="RATE_LIMITED or QUOTA_EXCEEDED; `Retry-After` says when to try again."),
}


class AuthorizeView(Judging):
    """The verdict as status and headers, for gateways that ask before they let a call pass."""

    http_method_names = ["get", "post", "head"]

    def handle_exception(self, exc: Exception) -> Response:
        """A fault of who asks is told apart from a verdict."""
        response = super().handle_exception(exc)
        codes = {401: "UNAUTHENTICATED", 403: "FORBIDDEN", 422: "BAD_REQUEST", 429: "RATE_LIMITED"}
        if response.status_code == 503:
            response["X-Gatehouse-Code"] = "UNAVAILABLE"
        elif response.status_code in codes:
            response["X-Gatehouse-Code"] = f"CALLER_{codes[response.status_code]}"
        return response

    @extend_schema(
        operation_id="keys_authorize",
        request=None,
        responses=ANSWERS,
        parameters=[AuthorizeQuery, *TOLD],
    )
    @sensitive_variables()
    def get(self, request: Request, rest: str = "") -> HttpResponse:
        """Judge the key of a call that another gateway holds; the body is empty, the status is the verdict's.

        For nginx's auth_request, Envoy's ext_authz and forward auth of Caddy and Traefik. `X-Gatehouse-Code` tells
        the code; one that begins with `CALLER_` is about who asks. Ask a gateway node's own port: it answers the same,
        many times faster.
        """
        options = options_of(request, rest)
        reader = AuthorizeQuery(data=options, context={"request": request})
        reader.is_valid(raise_exception=True)
        asked = reader.validated_data
        self.may(asked["mode"])
        if asked["mode"] == CONSUME:
            client = request.headers.get("X-Forwarded-For", "")
            return passed_on(ask_node(request, request.get_full_path(), client=client))
        told = question(request, asked, rest)
        uri = told.pop("uri")
        told["key"] = key_of(request, find_stage(self.caller, told), uri)
        judged = judge(self.caller, told, now())
        headers = headers_of(judged, answer(judged, told, "")["limits"])
        return HttpResponse(status=status_of(judged.verdict.code, asked), headers=headers, content_type="")

    @extend_schema(exclude=True)
    def post(self, request: Request, rest: str = "") -> HttpResponse:
        return self.get(request, rest)


class AuthorizeBelowView(AuthorizeView):
    """The same, for a gateway that puts our path before the client's (Envoy): any method of the client's."""

    http_method_names = ["get", "post", "head", "put", "patch", "delete", "options"]

    @extend_schema(exclude=True)
    def get(self, request: Request, rest: str = "") -> HttpResponse:
        return super().get(request, rest)

    put = patch = delete = AuthorizeView.post
    options = AuthorizeView.post  # type: ignore[assignment]


def passed_on(said: NodeAnswer) -> HttpResponse:
    """The node's own answer."""
    response = HttpResponse(said.body, status=said.status, headers=said.headers)
    if not said.body:
        del response["Content-Type"]
    return response
