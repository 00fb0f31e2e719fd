"""URIs of http_proxy integrations: `https://host/{id}?a=b`, with `${stageVariables.x}` anywhere."""

import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]{1,64})\}")
PLACEHOLDER = re.compile(r"\{([^{}/]*)\}")
HOST = re.compile(r"(?=.{1,253}\Z)(?:(?!-)[a-z0-9_-]{1,63}(?<!-)\.)*(?!-)[a-z0-9_-]{1,63}(?<!-)\Z")
# what RFC 3986 lets stand in a path as it is, and % of what is encoded already
PATH_SAFE = "/%:@!$&'()*+,;=-._~"
QUERY_SAFE = PATH_SAFE + "?"
PORTS = {"http": 80, "https": 443}
Captures = Mapping[str, int | str]
Piece = str | int | dict[str, str]


class UriError(ValueError):
    """The URI cannot be used; the message says why, as a whole sentence."""


class Server(NamedTuple):
    """`scheme` http or https, `host` a DNS name or IP literal without brackets, `port`."""

    scheme: str
    host: str
    port: int


def read_server(parts: SplitResult) -> Server:
    """Check scheme, host and port of a split URL; raises UriError."""
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise UriError("The URL must begin with http:// or https://.")
    if "@" in parts.netloc:
        raise UriError("The URL must not carry a user name or password.")
    try:
        port = parts.port or PORTS[scheme]
    except ValueError as error:
        raise UriError("The port of the URL must be a number from 1 to 65535.") from error
    return Server(scheme, _host(parts), port)


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").lower().rstrip(".")
    if not host:
        raise UriError("The URL names no host.")
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _name(host)
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        raise UriError(f"The address {host} cannot be a backend.")
    return str(address)


def _name(host: str) -> str:
    try:
        name = host.encode("idna").decode() if not host.isascii() else host
    except UnicodeError as error:
        raise UriError("The URL's host is not a DNS name.") from error
    if not HOST.match(name) or name.replace(".", "").isdigit():
        raise UriError("The URL's host is neither a DNS name nor an IP address.")
    return name


def split(uri: str) -> SplitResult:
    """Split a URL; raises UriError for what cannot be one."""
    if re.search(r"[\x00-\x20\x7f\\]", uri):
        raise UriError("The URL has spaces, backslashes or control characters.")
    try:
        return urlsplit(uri)
    except ValueError as error:
        raise UriError("The URL cannot be read.") from error


def resolve_uri(
    uri: str, variables: Mapping[str, str], captures: Captures
) -> tuple[Server, list[Piece], str]:
    """Return (server, path, query) of an http_proxy integration's URI in a stage.

    `captures` says what fills a placeholder: the number of a captured path variable, `'a text'`,
    `stageVariables.x`, or another of AWS's expressions. `path` starts with "/" and lists literal texts, numbers
    of captured path variables and `{"source": expression}` for the gate to evaluate; `query` has no "?".
    Raises UriError, for example for a stage variable that is not set.
    """
    parts = split(STAGE_VARIABLE.sub(lambda found: _value(found[1], variables), uri))
    if "{" in parts.netloc or "{" in parts.scheme:
        raise UriError("The host of the integration's URL has a placeholder.")
    if "{" in parts.query:
        raise UriError("Placeholders in the query of the integration's URL are not served yet.")
    return (
        read_server(parts),
        _path(parts.path or "/", captures, variables),
        quote(parts.query, safe=QUERY_SAFE),
    )


def _value(name: str, variables: Mapping[str, str]) -> str:
    if name not in variables:
        raise UriError(f"The stage variable {name!r} is not set.")
    return variables[name]


def _path(path: str, captures: Captures, variables: Mapping[str, str]) -> list[Piece]:
    pieces: list[Piece] = []
    for position, piece in enumerate(PLACEHOLDER.split(path)):
        if position % 2 == 0:
            if "{" in piece or "}" in piece:
                raise UriError("The braces in the integration's URL do not match.")
            if piece:
                pieces.append(quote(piece, safe=PATH_SAFE))
            continue
        name = piece.removesuffix("+")
        if name not in captures:
            raise UriError(f"The URL's placeholder {{{piece[:80]}}} is no variable of the operation's path.")
        pieces.append(_filled(captures[name], variables))
    return pieces


def _filled(source: int | str, variables: Mapping[str, str]) -> Piece:
    if isinstance(source, int):
        return source
    if source.startswith("'"):
        return quote(source[1:-1], safe="")
    name = source.removeprefix("stageVariables.")
    return {"source": source} if name == source else quote(_value(name, variables), safe="")


def check_uri(uri: str, captures: Captures) -> None:
    """Check what can be known before a stage's variables are; raises UriError."""
    if not STAGE_VARIABLE.findall(uri):
        texts = {name: "''" if isinstance(source, str) else source for name, source in captures.items()}
        resolve_uri(uri, {}, texts)
        return
    rest = STAGE_VARIABLE.sub("", uri)
    if "${" in rest:
        raise UriError("The integration's URL has a stage variable that cannot be read.")
    path = re.sub(r"[?#].*", "", rest)
    for name in PLACEHOLDER.findall(path):
        if name.removesuffix("+") not in captures:
            raise UriError(f"The URL's placeholder {{{name[:80]}}} is no variable of the operation's path.")
