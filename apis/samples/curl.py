"""A call as a line for a POSIX shell."""

import json

from apis.samples.call import Call, encoded

INDENT = " \\\n  "


def write(call: Call) -> str:
    """Return a `curl` command; each option has its line, and every text is in single quotes."""
    parts = ["curl"]
    has_body = call.has_json or call.text is not None or bool(call.form)
    if call.method == "HEAD":
        parts = ["curl --head"]
    elif call.method != ("POST" if has_body else "GET"):
        parts = [f"curl -X {quoted(call.method) if not call.method.isalpha() else call.method}"]
    elif not has_body:
        parts = ["curl"]
    parts.append(quoted(call.url))
    parts += [f"-H {quoted(_header(name, value))}" for name, value in call.headers]
    if call.media_type and not call.is_multipart:
        parts.append(f"-H {quoted(f'Content-Type: {call.media_type}')}")
    if call.has_json:
        parts.append(f"--data-raw {quoted(json.dumps(call.json, indent=2, ensure_ascii=False))}")
    elif call.text is not None:
        parts.append(f"--data-raw {quoted(call.text)}")
    for field in call.form:
        parts.append(_field(field.name, field.value, field.filename, multipart=call.is_multipart))
    if len(parts) <= 2:
        return " ".join(parts)
    return f"{parts[0]} {parts[1]}" + "".join(INDENT + each for each in parts[2:])


def quoted(text: str) -> str:
    """Return text in single quotes: the shell takes every character in them as it is."""
    return "'" + text.replace("\0", "").replace("'", "'\\''") + "'"


def _header(name: str, value: str) -> str:
    return f"{name}: {value}" if value else f"{name};"


def _field(name: str, value: str, filename: str, *, multipart: bool) -> str:
    if not multipart:
        return f"--data-urlencode {quoted(f'{encoded(name)}={value}')}"
    if filename:
        return f"-F {quoted(f'{name}={value};filename={filename}')}"
    return f"--form-string {quoted(f'{name}={value}')}"
