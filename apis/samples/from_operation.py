"""An operation and values for it -> a call."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from apis.reference.model import Body, Credential, Operation, Parameter
from apis.samples.call import KEY_PLACE, Call, Field, encoded

BODYLESS = ("GET", "HEAD", "TRACE")
# (place, name of a parameter) -> what was filled in; '' = leave it out
Values = Mapping[tuple[str, str], str]


def call_of(
    operation: Operation,
    address: str,
    *,
    key: str = KEY_PLACE,
    values: Values | None = None,
    credentials: Mapping[str, str] | None = None,
) -> Call:
    """Return a call of the operation at `address` (a URL without a slash at its end).

    Without `values`, parameters have the document's examples: those that must be sent, and those it gives an
    example for. Without `credentials` (by their schemes' names) each has a placeholder, the gateway's key `key`.
    A body is sent where the method may have one.
    """
    sent = {
        (each.place, each.name): _written(each, values)
        for each in operation.parameters
        if _is_sent(each, values)
    }
    query = [pair for each in operation.parameters if each.place == "query" for pair in _pairs(each, sent)]
    headers = [(name, text) for (place, name), texts in sent.items() if place == "header" for text in texts]
    cookies = [(name, text) for (place, name), texts in sent.items() if place == "cookie" for text in texts]
    for each in operation.shown:
        text = _placeholder(each, key) if credentials is None else credentials.get(each.name, "")
        if text:
            _show(each, text, query, headers, cookies)
    if cookies:
        headers.append(("Cookie", "; ".join(f"{name}={encoded(text)}" for name, text in cookies)))
    body = operation.bodies[0] if operation.bodies and operation.method not in BODYLESS else None
    return Call(
        method=operation.method,
        base=address + filled_path(operation, sent),
        query=tuple(query),
        headers=tuple((name, _one_line(text)) for name, text in headers),
        **_body(body),
    )


def filled_path(operation: Operation, values: Mapping[tuple[str, str], list[str]]) -> str:
    """Return the operation's path with its variables filled in, percent-encoded; `{proxy+}` keeps its slashes."""
    path = encoded(operation.path, safe="/{}+")
    for each in operation.parameters:
        if each.place == "path":
            text = ",".join(values.get(("path", each.name), [])) or "example"
            name = encoded(each.name)
            path = path.replace("{" + name + "}", encoded(text))
            path = path.replace("{" + name + "+}", encoded(text, safe="/"))
    return path.replace("{", "%7B").replace("}", "%7D")


def _is_sent(parameter: Parameter, values: Values | None) -> bool:
    if values is None or parameter.place == "path":
        return parameter.shown
    return bool(values.get((parameter.place, parameter.name)))


def _written(parameter: Parameter, values: Values | None) -> list[str]:
    """A parameter's value as it stands in a call; several for an array, one for all else."""
    given = (values or {}).get((parameter.place, parameter.name))
    if given:
        return given.split("\n") if parameter.row.type.startswith("array") else [given]
    value = parameter.example
    if isinstance(value, list):
        return [as_text(each) for each in value] or [""]
    return [as_text(value)]


def as_text(value: Any) -> str:
    """Return a value as a parameter has it: text as it is, all else as JSON."""
    return (
        value
        if isinstance(value, str)
        else json.dumps(value, ensure_ascii=False)
        if value is not None
        else ""
    )


def _pairs(parameter: Parameter, sent: Mapping[tuple[str, str], list[str]]) -> list[tuple[str, str]]:
    texts = sent.get(("query", parameter.name))
    if texts is None:
        return []
    if parameter.explode:
        return [(parameter.name, text) for text in texts]
    return [(parameter.name, ",".join(texts))]


def _placeholder(credential: Credential, key: str) -> str:
    if credential.is_key:
        return key
    if credential.place == "basic":
        return "user:password"
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in credential.name.upper())
    return f"YOUR_{name}"


def _show(
    credential: Credential,
    text: str,
    query: list[tuple[str, str]],
    headers: list[tuple[str, str]],
    cookies: list[tuple[str, str]],
) -> None:
    match credential.place:
        case "header":
            headers.append((credential.field, text))
        case "query":
            query.append((credential.field, text))
        case "cookie":
            cookies.append((credential.field, text))
        case "bearer":
            headers.append(("Authorization", f"Bearer {text}"))
        case "basic":
            headers.append(("Authorization", "Basic " + base64.b64encode(text.encode()).decode()))


def _body(body: Body | None) -> dict[str, Any]:
    if body is None:
        return {}
    if body.fields:
        return {"media_type": body.media_type, "form": _form(body)}
    media_type = "application/octet-stream" if "*" in body.media_type else body.media_type
    if body.is_json:
        return {"media_type": media_type, "has_json": True, "json": body.example}
    return {"media_type": media_type, "text": as_text(body.example)}


def _form(body: Body) -> tuple[Field, ...]:
    example = body.example if isinstance(body.example, dict) else {}
    fields = []
    for name, required, is_file in body.fields:
        if is_file and body.media_type == "multipart/form-data":
            fields.append(Field(name, "example", "example.txt"))
        elif required or name in example:
            value = example.get(name, "example")
            fields += [Field(name, as_text(each)) for each in (value if isinstance(value, list) else [value])]
    return tuple(fields)


def _one_line(text: str) -> str:
    """A header's value has one line (RFC 9110, 5.5)."""
    return " ".join(text.split("\r\n")).replace("\r", " ").replace("\n", " ").replace("\0", "").strip()
