"""Text as a literal of a programming language."""

import json

# characters that editors or compilers do not take as they are: line separators, the byte order mark, controls
_UNSEEN = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF)}


def literal(text: str) -> str:
    """Return text in double quotes, escaped as JSON does: Python, JavaScript and Go read that alike."""
    clean = text.encode("utf-8", "replace").decode()
    return json.dumps(clean, ensure_ascii=False).translate(_UNSEEN)


def header_bytes(value: str) -> str:
    """Return a header's value with each of its UTF-8 bytes as one character, as HTTP libraries want it."""
    return value.encode("utf-8", "replace").decode("latin-1")
