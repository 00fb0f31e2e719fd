"""Reading: the catalogue, addresses, and the document for developers."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from accounts.models import User
from apis.models import Api, ApiVersion, Stage


def catalogue(user: User | AnonymousUser | None) -> QuerySet[Api]:
    """APIs with something to call that this person may see."""
    raise NotImplementedError


def stage_address(stage: Stage) -> str:
    """The stage's best URL, without a slash at its end: its mapping, else the canonical address."""
    raise NotImplementedError


def canonical_address(stage: Stage) -> str:
    """`http://{version id}.execute-api.{host}/{stage}`: the URL that always holds."""
    raise NotImplementedError


def version_document_for_readers(version: ApiVersion) -> dict[str, Any]:
    """The OpenAPI document as a developer reads it: the gateway's address, no AWS extensions, key scheme."""
    raise NotImplementedError
