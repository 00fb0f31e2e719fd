"""Putting operations into a document, and taking them out."""

from typing import Any

from apis.openapi.document import Document
from apis.openapi.edits import copied
from apis.openapi.operations import KEYS, operation_objects
from apis.openapi.paths import refusal, shape, unserved_reason, variables_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "ANY")
_KEY_OF = {"ANY": "x-amazon-apigateway-any-method"} | {
    method: method.lower() for method in METHODS if method != "ANY"
}


class CannotBe(ValueError):
    """The operation cannot be in the document; `field` is method or path, the message says why."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.field = field


def empty_document(title: str) -> dict[str, Any]:
    """Return a document without an operation yet."""
    return {"openapi": "3.0.3", "info": {"title": title, "version": "1.0"}, "paths": {}}


def with_operation(document: Document, method: str, path: str, summary: str = "") -> Document:
    """Return a copy with one more operation, its path variables declared; raises CannotBe."""
    if method not in METHODS:
        raise CannotBe(f"Use one of {', '.join(METHODS)}.", "method")
    why_not = refusal(path) or unserved_reason(path)
    if why_not:
        raise CannotBe(f"{why_not} Write a path such as /orders/{{id}}.", "path")
    for other, there in operation_objects(document):
        if (other, shape(there)) == (method, shape(path)):
            raise CannotBe(f"{other} {there} is there already.", "path")
    edited = copied(document)
    paths = edited.data.get("paths")
    if not isinstance(paths, dict):
        paths = edited.data["paths"] = {}
    item = paths.get(path)
    if isinstance(item, dict) and "$ref" in item:
        raise CannotBe("This path is a reference; add the method to what it names, in the document.", "path")
    if not isinstance(item, dict):
        item = paths[path] = {}
    item[_KEY_OF[method]] = _new(document, path, summary)
    return edited


def without_operation(document: Document, method: str, path: str) -> Document:
    """Return a copy without an operation, and without its path if nothing else is on it; raises KeyError."""
    edited = copied(document)
    gone = operation_objects(edited)[method, path]
    item = next(each for each in _items(edited, path) if any(value is gone for value in each.values()))
    for key in [key for key, value in item.items() if value is gone]:
        del item[key]
    own = edited.data["paths"][path]
    if isinstance(own, dict) and "$ref" not in own and not any(key.lower() in KEYS for key in own):
        del edited.data["paths"][path]
    return edited


def with_summary(document: Document, method: str, path: str, summary: str) -> Document:
    """Return a copy in which the operation has this summary ('' = none); raises KeyError."""
    edited = copied(document)
    operation = operation_objects(edited)[method, path]
    operation.pop("summary", None)
    if summary:
        rest = dict(operation)
        operation.clear()
        operation |= {"summary": summary} | rest
    return edited


def _items(document: Document, path: str) -> list[dict[str, Any]]:
    """Return the path's item and what it refers to."""
    from_path = document.data["paths"][path]
    found = [from_path]
    while isinstance(found[-1].get("$ref"), str) and len(found) < 20:
        node: Any = document.data
        for part in found[-1]["$ref"][2:].split("/"):
            node = node[part.replace("~1", "/").replace("~0", "~")]
        found.append(node)
    return found


def _new(document: Document, path: str, summary: str) -> dict[str, Any]:
    kind: dict[str, Any] = {"type": "string"}
    schema = kind if document.specification == "2.0" else {"schema": kind}
    parameters = [
        {"name": name.removesuffix("+"), "in": "path", "required": True} | schema
        for name in variables_of(path)
    ]
    said: dict[str, Any] = {"summary": summary} if summary else {}
    said |= {"parameters": parameters} if parameters else {}
    return said | {"responses": {"default": {"description": "The backend's answer."}}}
