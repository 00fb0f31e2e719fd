"""Text -> Document."""

import codecs
import json
import re
from typing import Any, NoReturn

from apis.openapi.document import Document, DocumentError
from apis.openapi.findings import INFO, WARNING, Finding
from apis.openapi.values import check_values
from apis.openapi.yaml_reader import read_yaml

MAX_BYTES = 50_000_000
# YAML may begin with a brace, too, but then hardly with a quoted key
JSON_BEGINS = re.compile(r"\s*(?:\{\s*[\"}]|\[)")
NOT_OPENAPI = (
    "This is not an OpenAPI document: it says neither `openapi: 3.x` nor `swagger: 2.0`. "
    "Give the description of your API as JSON or YAML."
)


def parse(source: bytes | str, *, max_bytes: int = MAX_BYTES) -> Document:
    """Read a Swagger 2.0, OpenAPI 3.0 or 3.1 document, JSON or YAML.

    Raises DocumentError for what is too large, not parsable or no OpenAPI document; everything else is
    accepted, as Amazon API Gateway accepts it, with findings.
    """
    text = _decode(source, max_bytes)
    if not text.strip():
        raise DocumentError("The document is empty.")
    return from_data(read_values(text, max_bytes=max_bytes))


def from_data(data: Any) -> Document:
    """Make a Document from JSON values that were parsed already; raises DocumentError."""
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        raise DocumentError(NOT_OPENAPI)
    check_values(data)
    specification, findings = _specification(data)
    info = data.get("info")
    title = info.get("title") if isinstance(info, dict) else None
    if not isinstance(title, str) or not title.strip():
        findings.append(Finding(INFO, "/info" if info else "", "The document has no title (info.title)."))
        title = ""
    return Document(data, specification, title.strip(), findings)


def _decode(source: bytes | str, max_bytes: int) -> str:
    if len(source) > max_bytes:
        raise DocumentError(f"The document is larger than {max_bytes // 1_000_000} MB.")
    if isinstance(source, str):
        return source.removeprefix("\ufeff")
    encoding = "utf-16" if source[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"
    try:
        return source.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(f"The document is not UTF-8 text (byte {error.start + 1}).") from error


def read_values(text: str, *, max_bytes: int = MAX_BYTES) -> Any:
    """Return the values of a JSON or YAML text; raises DocumentError."""
    if not JSON_BEGINS.match(text):
        return _unshared(read_yaml(text, max_weight=max_bytes * 2))
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DocumentError(f"The text is not JSON: {error.msg} ({where}).") from error
    except RecursionError as error:
        raise DocumentError("The document is nested too deeply.") from error
    except DocumentError:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise DocumentError(f"The text is not JSON: {error}") from error


def _refuse_constant(name: str) -> NoReturn:
    raise DocumentError(f"The document has a number that JSON cannot say ({name}).")


def _unshared(data: Any) -> Any:
    """Copy values that anchors share, so that an edit of one place changes only that place."""
    try:
        return json.loads(json.dumps(data, allow_nan=False))
    except ValueError as error:
        raise DocumentError("The document has a number that JSON cannot say (infinity).") from error


def _specification(data: dict[str, Any]) -> tuple[str, list[Finding]]:
    """Return which specification the document follows; numbers such as `openapi: 3.0` are taken as meant."""
    openapi, swagger = (_version_text(data.get(key)) for key in ("openapi", "swagger"))
    findings = []
    if openapi and swagger:
        message = f"The document says both openapi {openapi} and swagger {swagger}; it is read as OpenAPI."
        findings.append(Finding(WARNING, "/swagger", message))
    if openapi:
        return _openapi_version(openapi), findings
    if swagger:
        if swagger.split(".")[0] != "2":
            raise DocumentError(f"Swagger {swagger[:20]} is not supported; use Swagger 2.0 or OpenAPI 3.")
        return "2.0", findings
    if isinstance(data.get("paths"), dict) and data["paths"]:
        message = "The document does not say which OpenAPI version it follows; it is read as 3.0."
        return "3.0", [Finding(WARNING, "", message)]
    raise DocumentError(NOT_OPENAPI)


def _openapi_version(text: str) -> str:
    parts = text.split(".")
    if parts[0] == "2":
        return "2.0"
    if parts[0] != "3":
        raise DocumentError(f"OpenAPI {text[:20]} is not supported; use Swagger 2.0 or OpenAPI 3.")
    return "3.0" if len(parts) == 1 or parts[1] == "0" else "3.1"


def _version_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()
