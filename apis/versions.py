"""APIs and their versions: made, imported, re-imported, deprecated, retired."""

from datetime import datetime
from typing import Any

from accounts.models import Organization, User
from apis.models import Api, ApiVersion, Backend, Operation, Visibility
from apis.openapi import Document

Source = Document | dict[str, Any] | str | bytes


def create_api(
    *,
    organization: Organization,
    name: str,
    slug: str = "",
    summary: str = "",
    description: str = "",
    visibility: str = Visibility.PUBLIC,
    actor: User | None,
) -> Api:
    """Make a product; an empty slug is made from the name."""
    raise NotImplementedError


def change_api(*, api: Api, actor: User | None, **fields: Any) -> Api:
    """Change name, summary, description or visibility."""
    raise NotImplementedError


def create_version(
    *,
    api: Api,
    name: str,
    document: Source,
    backend: Backend | None = None,
    key_required: bool = True,
    actor: User | None,
) -> ApiVersion:
    """Import a document as a new version (draft). Its findings are on `version.findings`.

    `key_required` is the default for operations of which the document does not say. Refused: field `document`
    for what is no OpenAPI document, `name` for a name that is taken or cannot be part of an address.
    """
    raise NotImplementedError


def replace_document(*, version: ApiVersion, document: Source, actor: User | None) -> ApiVersion:
    """Import a newer document; operations keep their ids by method + path. Nothing goes live before a deploy."""
    raise NotImplementedError


def set_key_required(*, operation: Operation, required: bool, actor: User | None) -> Operation:
    """Write into the document whether the operation needs an API key. Holds from the next deploy."""
    raise NotImplementedError


def set_backend(*, version: ApiVersion, backend: Backend | None, actor: User | None) -> ApiVersion:
    """Say where operations without an integration of their own go. Holds from the next deploy."""
    raise NotImplementedError


def deprecate(*, version: ApiVersion, sunset_at: datetime | None = None, actor: User | None) -> ApiVersion:
    """Mark a published version as deprecated; it goes on answering."""
    raise NotImplementedError


def retire(*, version: ApiVersion, actor: User | None) -> ApiVersion:
    """Stop serving a version; stages and deployments stay."""
    raise NotImplementedError


def reinstate(*, version: ApiVersion, actor: User | None) -> ApiVersion:
    """Take back a deprecation or retirement."""
    raise NotImplementedError
