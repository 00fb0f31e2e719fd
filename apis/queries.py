"""Reading: the catalogue, addresses, and the document for developers."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet

from accounts.models import Organization, Role, User
from apis.models import (
    LIVE,
    Api,
    ApiGrant,
    ApiInvitation,
    ApiVersion,
    BasePathMapping,
    Deployment,
    Operation,
    Stage,
    VersionState,
)
from apis.openapi.parse import from_data
from apis.openapi.readers import document_for_readers
from apis.visibility import seen

IN_USE = (VersionState.PUBLISHED, VersionState.DEPRECATED)


def visible_apis(user: User | AnonymousUser | None) -> QuerySet[Api]:
    """Return all APIs this person may see, with or without something to call."""
    return Api.objects.filter(seen_by(user))


def seen_by(user: User | AnonymousUser | None, *, acting_for: Organization | None = None, api: str = "") -> Q:
    """Return the condition under which a person sees an API; `api` is the path to it from the rows asked for.

    With `acting_for`, membership counts in that organization only, not in all she is a member of.
    """
    found = seen(user, acting_for=acting_for, path=f"{api}__" if api else "", invitations=_api_invitations)
    if user is None or not user.is_authenticated:
        return found
    granted = ApiGrant.objects.filter(member__user=user, member__role=Role.LIMITED)
    if acting_for is not None:
        granted = granted.filter(organization=acting_for)
    return found | Q(**{f"{api}__pk__in" if api else "pk__in": granted.values("api")})


def _api_invitations(invited: Q) -> QuerySet[ApiInvitation, Any]:
    return ApiInvitation.objects.filter(invited).values("api")


def catalogue(user: User | AnonymousUser | None) -> QuerySet[Api]:
    """Return the APIs with something to call that this person may see.

    `api.versions.all()` holds their published and deprecated versions that have a deployed stage, newest
    first, with `version.stages` (and those's mappings); a list page needs four queries.
    """
    stages = Stage.objects.filter(deployment__isnull=False)
    callable_versions = ApiVersion.objects.filter(
        Exists(stages.filter(version=OuterRef("pk"))), state__in=IN_USE
    )
    shown = callable_versions.order_by("-created_at").prefetch_related(
        Prefetch("stages", stages.prefetch_related("mappings"))
    )
    return (
        visible_apis(user)
        .filter(Exists(callable_versions.filter(api=OuterRef("pk"))))
        .select_related("organization")
        .prefetch_related(Prefetch("versions", shown))
    )


def operations_of(version: ApiVersion) -> QuerySet[Operation]:
    """Return the operations that are in the document now, in its order."""
    return version.operations.filter(removed_at=None)


def live_stage(version: ApiVersion) -> Stage | None:
    """Return the stage that developers read about: `live`, else the first that has a deployment."""
    stages = [each for each in version.stages.all() if each.deployment_id]
    return next((each for each in stages if each.name == LIVE), stages[0] if stages else None)


def mapping_address(mapping: BasePathMapping) -> str:
    """Return the URL of a mapping, without a slash at its end."""
    gateway = urlsplit(settings.GATEWAY_URL)
    port = f":{gateway.port}" if gateway.port else ""
    netloc = f"{mapping.host}{port}" if mapping.host else gateway.netloc
    return f"{gateway.scheme}://{netloc}/{mapping.base_path}".rstrip("/")


def stage_address(stage: Stage) -> str:
    """Return the stage's best URL, without a slash at its end: its mapping, else the canonical address.

    A host of its own comes before the shared one. Uses a prefetched `stage.mappings`.
    """
    mappings = sorted(stage.mappings.all(), key=lambda each: (not each.host, each.base_path))
    return mapping_address(mappings[0]) if mappings else canonical_address(stage)


def stage_addresses(stage: Stage) -> list[str]:
    """Return all URLs at which the stage answers, the canonical one last."""
    mapped = [mapping_address(each) for each in stage.mappings.all()]
    return mapped if stage.version.disable_execute_api_endpoint else [*mapped, canonical_address(stage)]


def canonical_address(stage: Stage) -> str:
    """Return `http://{version id}.execute-api.{gateway host}/{stage}`: the URL that always holds."""
    gateway = urlsplit(settings.GATEWAY_URL)
    host = gateway.hostname or "localhost"
    try:
        ipaddress.ip_address(host)
        host = "localhost"  # an address has no names below it, but every *.localhost is this machine
    except ValueError:
        pass
    port = f":{gateway.port}" if gateway.port else ""
    return f"{gateway.scheme}://{stage.version_id}.execute-api.{host}{port}/{stage.name}"


def version_document_for_readers(version: ApiVersion) -> dict[str, Any]:
    """Return the OpenAPI document as a developer reads it.

    What is deployed to the live stage (the version's newest document, if nothing is), with the gateway's
    address, the key scheme at operations that need a key, a note at those that are not served, and without
    AWS's extensions.
    """
    stage = live_stage(version)
    if stage is not None and stage.deployment is not None:
        return deployment_document_for_readers(stage.deployment, stage_address(stage))
    rows = operations_of(version)
    keyed = {(each.method, each.path) for each in rows if each.key_required}
    unserved = {(each.method, each.path): each.unserved_reason for each in rows if each.unserved_reason}
    return document_for_readers(
        from_data(version.document), address=settings.GATEWAY_URL, keyed=keyed, unserved=unserved
    )


def deployment_document_for_readers(deployment: Deployment, address: str) -> dict[str, Any]:
    """Return what was deployed as `version_document_for_readers` does, for callers at `address`."""
    operations = deployment.compiled["operations"]
    keyed = {(each["method"], each["path"]) for each in operations if each["key_required"]}
    unserved = {
        (each["method"], each["path"]): each["integration"]["reason"]
        for each in operations
        if each["integration"]["type"] == "unserved"
    }
    return document_for_readers(
        from_data(deployment.document), address=address, keyed=keyed, unserved=unserved
    )
