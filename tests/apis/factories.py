"""Documents and rows for the tests of `apis`."""

from pathlib import Path
from typing import Any

import pytest

from accounts.models import Organization
from apis.backends import create_backend
from apis.models import ApiVersion
from apis.openapi import Document, parse
from apis.versions import create_api, create_version
from tests.factories import make_organization

DOCUMENTS = Path(__file__).parent / "documents"
AWS_DOCUMENTS = Path(__file__).parents[2].parent / "shared" / "data" / "openapi-aws"
LAMBDA = {"type": "aws_proxy", "httpMethod": "POST", "uri": "arn:aws:apigateway:eu-west-1:lambda:path/x"}
KEY_SCHEME = {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}


def text_of(name: str) -> bytes:
    return (DOCUMENTS / name).read_bytes()


def aws_documents() -> list[Any]:
    """The 205 documents of AWS's SAM as parameters; one that is skipped where the folder is absent."""
    files = sorted(AWS_DOCUMENTS.glob("*.json"))
    if not files:
        return [pytest.param(None, marks=pytest.mark.skip(reason="../shared/data is absent"))]
    return [pytest.param(file, id=file.stem) for file in files]


def document(paths: dict[str, Any], **more: Any) -> Document:
    """An OpenAPI 3.0 document with these paths."""
    return Document(
        {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": paths} | more, "3.0"
    )


def imported(
    source: Any = None,
    *,
    organization: Organization | None = None,
    url: str = "http://127.0.0.1:9",
    **fields: Any,
) -> ApiVersion:
    """A version v1 of a new API, imported through the verbs, with a backend at `url` ('' = none)."""
    organization = organization or make_organization()
    api = fields.pop("api", None) or create_api(organization=organization, name="Shop", actor=None)
    backend = (
        create_backend(organization=organization, name=f"B {api.slug}", url=url, actor=None) if url else None
    )
    given = parse(text_of("shop.swagger.yaml")) if source is None else source
    values = {"name": "v1", "document": given, "backend": backend, "actor": None} | fields
    return create_version(api=api, **values)
