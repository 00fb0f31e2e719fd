"""Gateway responses: how refusals of each type look."""

import re
from typing import Any

from apis.policy.reading import CONTROL, PolicyError, fields_of, one_of, path, token, whole

TYPES = (
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
)
NAME = r"[A-Za-z0-9._$-]{1,128}"
EXPRESSION = re.compile(
    rf"(method\.request\.(header|querystring|path|multivalueheader|multivaluequerystring)\.{NAME}"
    rf"|context\.{NAME}|stageVariables\.[A-Za-z0-9_]{{1,64}}|'[^\x00-\x1f\x7f']*')\Z"
)
MEDIA_TYPE = re.compile(r"[A-Za-z0-9.+-]{1,60}/[A-Za-z0-9.+*-]{1,60}(;\s*charset=[A-Za-z0-9-]{1,20})?\Z")
FRAMING = ("connection", "content-length", "transfer-encoding", "trailer", "upgrade", "keep-alive", "te")
LONGEST_TEMPLATE = 16_384
LONGEST_EXPRESSION = 2_048


def read_responses(raw: Any, at: str) -> dict[str, Any]:
    """Read {type: {status, headers, templates}}, each part optional.

    A header's value is `'static'` in single quotes, `context.x`, `method.request.header.x` or
    `stageVariables.x`; a template is the body by its media type, with `$context.x`.
    """
    if not isinstance(raw, dict):
        raise PolicyError("Give an object with types such as THROTTLED or DEFAULT_4XX.", at)
    read = {}
    for kind, given in raw.items():
        one_of(kind, path(at, str(kind)[:60]), TYPES)
        read[kind] = _response(given, path(at, kind))
    return read


def _response(raw: Any, at: str) -> dict[str, Any]:
    given = fields_of(raw, at, known=("status", "headers", "templates"))
    read: dict[str, Any] = {}
    if given.get("status") is not None:
        read["status"] = whole(given["status"], path(at, "status"), 200, 599, "an HTTP status")
    for name, reader in (("headers", _header), ("templates", _template)):
        values = given.get(name)
        if values is None:
            continue
        if not isinstance(values, dict) or len(values) > 50:
            raise PolicyError(f"Give an object of at most 50 {name}.", path(at, name))
        read[name] = {key: reader(key, value, path(at, name)) for key, value in values.items()}
    return read


def _header(name: Any, value: Any, at: str) -> str:
    token(name, path(at, str(name)[:60]))
    at = path(at, name)
    if name.lower() in FRAMING:
        raise PolicyError("The gateway sets this header itself; leave it out.", at)
    if not isinstance(value, str) or len(value) > LONGEST_EXPRESSION or not EXPRESSION.match(value):
        message = "Give 'a text' in single quotes, context.x, method.request.header.x or stageVariables.x."
        raise PolicyError(message, at)
    return value


def _template(media: Any, value: Any, at: str) -> str:
    if not isinstance(media, str) or not MEDIA_TYPE.match(media):
        raise PolicyError("Give a media type such as application/json.", path(at, str(media)[:60]))
    if (
        not isinstance(value, str)
        or len(value) > LONGEST_TEMPLATE
        or CONTROL.search(re.sub(r"[\r\n\t]", "", value))
    ):
        raise PolicyError(f"Give a text of at most {LONGEST_TEMPLATE:,} characters.", path(at, media))
    return value
