"""A call as JavaScript with `fetch`, for browsers and Node alike."""

import json
from typing import Any

from apis.samples.call import Call
from apis.samples.text import header_bytes, literal

STEP = "  "


def write(call: Call) -> str:
    """Return a program that prints the status and the body of the answer."""
    if call.method == "TRACE":
        return "// fetch sends no TRACE (the Fetch standard forbids it); use another language.\n"
    before, body = _body(call)
    headers = [(name, header_bytes(value)) for name, value in call.headers]
    if call.media_type and not call.form:
        headers.append(("Content-Type", call.media_type))
    options = []
    if call.method != "GET":
        options.append(f"method: {literal(call.method)}")
    if headers:
        options.append(f"headers: {_headers(headers)}")
    if body:
        options.append(f"body: {body}")
    inner = "".join(f"{STEP * 2}{each},\n" for each in options)
    second = f", {{\n{inner}{STEP}}}" if options else ""
    return (
        "async function main() {\n"
        + "".join(f"{STEP}{line}\n" for line in before)
        + f"{STEP}const response = await fetch({literal(call.url)}{second});\n"
        + f"{STEP}console.log(response.status);\n{STEP}console.log(await response.text());\n}}\n\nmain();\n"
    )


def _headers(headers: list[tuple[str, str]]) -> str:
    names = [name for name, _ in headers]
    if len(set(names)) == len(names) and "__proto__" not in names:
        inner = "".join(f"{STEP * 3}{literal(name)}: {literal(value)},\n" for name, value in headers)
        return f"{{\n{inner}{STEP * 2}}}"
    inner = "".join(f"{STEP * 3}[{literal(name)}, {literal(value)}],\n" for name, value in headers)
    return f"[\n{inner}{STEP * 2}]"


def _body(call: Call) -> tuple[list[str], str]:
    """Lines that stand before the call, and the body's expression."""
    if call.has_json:
        return [], _json(call.json)
    if call.text is not None:
        return [], literal(call.text)
    if not call.form:
        return [], ""
    kind = "FormData" if call.is_multipart else "URLSearchParams"
    lines = [f"const form = new {kind}();"]
    for each in call.form:
        if each.filename:
            blob = f"new Blob([{literal(each.value)}])"
            lines.append(f"form.append({literal(each.name)}, {blob}, {literal(each.filename)});")
        else:
            lines.append(f"form.append({literal(each.name)}, {literal(each.value)});")
    return lines, "form"


def _json(value: Any) -> str:
    if _is_awkward(value):
        return literal(json.dumps(value, ensure_ascii=False))
    return f"JSON.stringify({_indented(value, 2)})"


def _is_awkward(value: Any) -> bool:
    """Whether an object literal would say something else: `__proto__` sets the prototype, long numbers are rounded."""
    if isinstance(value, dict):
        return "__proto__" in value or any(_is_awkward(each) for each in value.values())
    if isinstance(value, list):
        return any(_is_awkward(each) for each in value)
    return isinstance(value, int) and abs(value) >= 2**53


def _indented(value: Any, depth: int) -> str:
    if isinstance(value, dict) and value:
        lines = (f"{literal(str(name))}: {_indented(each, depth + 1)}" for name, each in value.items())
        return _block("{", lines, "}", depth)
    if isinstance(value, list) and value:
        return _block("[", (_indented(each, depth + 1) for each in value), "]", depth)
    return literal(value) if isinstance(value, str) else json.dumps(value)


def _block(start: str, lines: Any, end: str, depth: int) -> str:
    inner = "".join(f"{STEP * (depth + 1)}{line},\n" for line in lines)
    return f"{start}\n{inner}{STEP * depth}{end}"
