"""Takes secrets out of paths and query strings before they leave the node. Pure.

A value is masked when its name says that it is a secret, when it is where the stage's key is, or when it looks like a
key: one of ours, a JSON web token, or so long a run of letters and digits that nobody would type it.
"""

import re
from urllib.parse import unquote, unquote_plus

MASK = "***"
LONGEST = 1_024  # characters that are kept
_NAMES = re.compile(
    r"key|token|secret|passw|pwd|sign|sig$|auth|code|session|sid$|jwt|credential|otp|pin$|cookie|assertion|ticket",
    re.IGNORECASE,
)
_SHAPES = re.compile(
    r"gh_(live|test)_|gat_|ghn_|whsec_|sk_|pk_|eyJ[\w-]{8,}|AKIA|ASIA|Bearer\s", re.IGNORECASE
)
_LONG = re.compile(r"[A-Za-z0-9_+/=.~-]{32,}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def masked(uri: str, key_parameter: str = "") -> tuple[str, str]:
    """Return path and query of a request's target; `key_parameter` is where the stage takes keys from."""
    path, _, query = uri.partition("?")
    path = "/".join(_path_part(part) for part in path.split("/"))
    pairs = (_pair(pair, key_parameter) for pair in query.split("&")) if query else ()
    return _short(path), _short("&".join(pairs))


def _path_part(part: str) -> str:
    return MASK if _looks_secret(unquote(part)) else part


def _pair(pair: str, key_parameter: str) -> str:
    raw, equals, value = pair.partition("=")
    name = unquote_plus(raw)
    if not equals:
        return MASK if _looks_secret(name) else raw
    secret = name == key_parameter or _NAMES.search(name) or _looks_secret(unquote_plus(value))
    return f"{MASK if _looks_secret(name) else raw}={MASK if value and secret else value}"


def _looks_secret(text: str) -> bool:
    if _SHAPES.search(text):
        return True
    return any(not _UUID.fullmatch(run) for run in (found[0] for found in _LONG.finditer(text)))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
