"""An operation's parameters and bodies, whichever edition of OpenAPI the document is in."""

from typing import Any

from apis.openapi.document import Document, follow

Parameters = dict[tuple[str, str], dict[str, Any]]
BODY = ("body", "formData")


def parameters_of(document: Document, operation: dict[str, Any], item: dict[str, Any]) -> Parameters:
    """Return the parameters by (place, name), the operation's own before its path's; bodies are left out.

    Path variables are told apart by their place in the path, so they are left out too.
    """
    found = _all_parameters(document, operation, item)
    return {key: each for key, each in found.items() if key[0] not in (*BODY, "path")}


def request_schema(
    document: Document, operation: dict[str, Any], item: dict[str, Any]
) -> tuple[Any, bool, set[str]]:
    """Return (the body's schema or None, whether a body must be sent, its media types)."""
    if document.specification == "2.0":
        return _swagger_body(document, operation, item)
    body = follow(document.data, operation.get("requestBody"))[0] or {}
    content = body.get("content")
    return (
        _schema(content),
        body.get("required") is True,
        set(content) if isinstance(content, dict) else set(),
    )


def responses_of(document: Document, operation: dict[str, Any]) -> dict[str, Any]:
    """Return the schemas of answers by status as text (None = the answer has no schema)."""
    responses = operation.get("responses")
    found: dict[str, Any] = {}
    for status, raw in responses.items() if isinstance(responses, dict) else ():
        answer = follow(document.data, raw)[0]
        if answer is not None and not str(status).startswith("x-"):
            plain = document.specification == "2.0"
            found[str(status)] = answer.get("schema") if plain else _schema(answer.get("content"))
    return found


def schema_of(parameter: dict[str, Any]) -> Any:
    """Return a parameter's schema; in Swagger 2.0 the parameter is one itself."""
    return parameter.get("schema") or _schema(parameter.get("content")) or parameter


def _all_parameters(document: Document, operation: dict[str, Any], item: dict[str, Any]) -> Parameters:
    found: Parameters = {}
    for owner in (item, operation):
        raw = owner.get("parameters")
        for each in raw if isinstance(raw, list) else ():
            parameter = follow(document.data, each)[0]
            if parameter is not None:
                place, name = str(parameter.get("in", "")), str(parameter.get("name", ""))
                # names of headers are the same in any case
                found[place, name.lower() if place == "header" else name] = parameter
    return found


def _swagger_body(
    document: Document, operation: dict[str, Any], item: dict[str, Any]
) -> tuple[Any, bool, set[str]]:
    everything = _all_parameters(document, operation, item)
    types = operation.get("consumes") or document.data.get("consumes")
    media = {str(each) for each in types} if isinstance(types, list) else set()
    for (place, _), parameter in everything.items():
        if place == "body":
            return parameter.get("schema"), parameter.get("required") is True, media
    form = {name: each for (place, name), each in everything.items() if place == "formData"}
    if not form:
        return None, False, set()
    required = [name for name, each in form.items() if each.get("required") is True]
    return {"type": "object", "properties": form, "required": required}, bool(required), media


def _schema(content: Any) -> Any:
    """The schema of the JSON form of a body, else of its first form."""
    if not isinstance(content, dict) or not content:
        return None
    names = sorted(content, key=lambda name: "json" not in name)
    media = content[names[0]]
    return media.get("schema") if isinstance(media, dict) else None
