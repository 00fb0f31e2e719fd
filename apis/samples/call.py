"""A call, as every language's writer takes it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

KEY_PLACE = "YOUR_KEY"
# what may stand in a path or query as it is, besides letters and digits (RFC 3986)
_PLAIN = "-._~!*(),:@"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form; with a `filename` its value is a file's text."""

    name: str
    value: str
    filename: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `base` is the URL with its path, encoded; `query` and `headers` hold plain values.

    It has at most one of a JSON body (`json` with `has_json`), a `text` body, and a `form`. `media_type` goes with
    a body; where a form is multipart, the language's library writes that header itself.
    """

    method: str
    base: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    media_type: str = ""
    has_json: bool = False
    json: Any = None
    text: str | None = None
    form: tuple[Field, ...] = ()

    @property
    def url(self) -> str:
        """The whole URL, percent-encoded, so that it is ASCII without quotes, blanks or braces."""
        pairs = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in self.query)
        return f"{self.base}?{pairs}" if pairs else self.base

    @property
    def is_multipart(self) -> bool:
        """Whether the form is multipart/form-data."""
        return bool(self.form) and self.media_type == "multipart/form-data"


def encoded(text: str, safe: str = "") -> str:
    """Percent-encode a part of a URL; `safe` are further characters that stay."""
    return quote(text.encode("utf-8", "replace"), safe=_PLAIN + safe)
