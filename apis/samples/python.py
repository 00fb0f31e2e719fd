"""A call as a Python program with `requests`."""

from typing import Any

from apis.samples.call import Call, Field
from apis.samples.text import header_bytes, literal

STEP = "    "


def write(call: Call) -> str:
    """Return a program that prints the status and the body of the answer."""
    arguments = [literal(call.method), literal(call.base)]
    if call.query:
        arguments.append("params=" + _pairs_or_dict(call.query))
    headers = [(name, header_bytes(value)) for name, value in call.headers]
    if call.media_type and not call.form and call.media_type != "application/json":
        headers.append(("Content-Type", call.media_type))
    if headers:
        arguments.append("headers=" + _pairs_or_dict(tuple(headers)))
    if call.has_json:
        arguments.append("json=" + value(call.json, 1))
    elif call.text is not None:
        arguments.append(f"data={literal(call.text)}.encode()")
    elif call.form:
        arguments.append(_form(call))
    lines = "".join(f"{STEP}{each},\n" for each in arguments)
    return (
        "import requests\n\n"
        f"response = requests.request(\n{lines}{STEP}timeout=30,\n)\n"
        "print(response.status_code)\nprint(response.text)\n"
    )


def value(given: Any, depth: int = 0) -> str:
    """Return a JSON value as a Python literal, indented by `depth` steps."""
    match given:
        case None | True | False:
            return repr(given)
        case str():
            return literal(given)
        case dict() if given:
            inner = "".join(
                f"{STEP * (depth + 1)}{literal(str(name))}: {value(each, depth + 1)},\n"
                for name, each in given.items()
            )
            return f"{{\n{inner}{STEP * depth}}}"
        case list() if given:
            inner = "".join(f"{STEP * (depth + 1)}{value(each, depth + 1)},\n" for each in given)
            return f"[\n{inner}{STEP * depth}]"
        case _:  # numbers, and {} and [] that are empty
            return repr(given)


def _pairs_or_dict(pairs: tuple[tuple[str, str], ...]) -> str:
    """A dict where no name is there twice."""
    names = [name for name, _ in pairs]
    if len(set(names)) == len(names):
        return value(dict(pairs), 1)
    inner = "".join(f"{STEP * 2}({literal(name)}, {literal(text)}),\n" for name, text in pairs)
    return f"[\n{inner}{STEP}]"


def _form(call: Call) -> str:
    if not call.is_multipart:
        return "data=" + _pairs_or_dict(tuple((each.name, each.value) for each in call.form))
    inner = "".join(f"{STEP * 2}({literal(each.name)}, {_part(each)}),\n" for each in call.form)
    return f"files=[\n{inner}{STEP}]"


def _part(field: Field) -> str:
    filename = literal(field.filename) if field.filename else "None"
    return f"({filename}, {literal(field.value)})"
