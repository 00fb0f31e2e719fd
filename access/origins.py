"""Where a key may be used from: networks, and hosts of pages. Texts are checked and put into one form."""

import ipaddress
import re
from collections.abc import Iterable

from accounts.errors import Refused

# of one key; each is part of the key's entry on every node
MOST_IPS, MOST_REFERRERS = 50, 50
_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*(?![\s\S])")


def networks(texts: Iterable[str], *, field: str = "ips") -> list[str]:
    """Return the networks as CIDR, each once; a single address becomes /32 or /128. Raises Refused."""
    found: dict[str, None] = {}
    for text in _texts(texts, field):
        try:
            network = ipaddress.ip_network(text)
            if "%" in text:
                raise ValueError("a zone is of one machine only")
        except ValueError as error:
            raise Refused(_why_no_network(text), field=field) from error
        found[str(network)] = None
    return _not_too_many(found, MOST_IPS, field)


def _why_no_network(text: str) -> str:
    try:
        loose = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return f"{text[:60]!r} is no network; write one such as 203.0.113.0/24, 2001:db8::/32 or 203.0.113.7."
    if "%" in text:
        return f"{text[:60]!r} names a zone of one machine; leave out what follows the %."
    return f"{text} has bits set beyond its length; did you mean {loose}?"


def referrers(texts: Iterable[str], *, field: str = "referrers") -> list[str]:
    """Return the host patterns in lower case, each once; international names as `xn--…`. Raises Refused."""
    found: dict[str, None] = {}
    for text in _texts(texts, field):
        found[_host(text, field)] = None
    return _not_too_many(found, MOST_REFERRERS, field)


def _host(text: str, field: str) -> str:
    host = text.lower().rstrip(".")
    if not host.isascii():
        try:
            host = ".".join(part.encode("idna").decode() for part in host.split("."))
        except UnicodeError as error:
            raise Refused(_why_no_host(text), field=field) from error
    if len(host) > 253 or not _HOST.match(host):
        raise Refused(_why_no_host(text), field=field)
    return host


def _why_no_host(text: str) -> str:
    return f"{text[:60]!r} is no host; write one such as app.example.com or *.example.com, without https:// or a path."


def _texts(texts: Iterable[str], field: str) -> list[str]:
    """Return the texts without spaces around them; empty ones are left out."""
    if isinstance(texts, str) or not isinstance(texts, Iterable):
        raise Refused("Give a list.", field=field)
    found = list(texts)
    if not all(isinstance(text, str) for text in found):
        raise Refused("Give a list of texts.", field=field)
    return [text.strip() for text in found if text.strip()]


def _not_too_many(found: dict[str, None], most: int, field: str) -> list[str]:
    if len(found) > most:
        raise Refused(f"Give at most {most}.", field=field)
    return list(found)


def ip_allowed(ips: list[str], address: str) -> bool:
    """Whether a client's address lies in one of the networks; no networks = yes, a senseless address = no."""
    if not ips:
        return True
    try:
        client = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(client, ipaddress.IPv6Address) and client.ipv4_mapped:
        client = client.ipv4_mapped
    return any(client in ipaddress.ip_network(text) for text in ips)


def referrer_allowed(patterns: list[str], referrer: str) -> bool:
    """Whether the page at `referrer` (an URL or a host) is of one of the hosts; no patterns = yes.

    `*.example.com` means every host below example.com, not example.com itself.
    """
    if not patterns:
        return True
    host = _host_of(referrer)
    return bool(host) and any(
        host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern for pattern in patterns
    )


def _host_of(referrer: str) -> str:
    """Return the host of an URL, or of a bare host with or without port; '' = there is none."""
    rest = referrer.partition("://")[2] or referrer
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2]
    return authority.partition(":")[0].rstrip(".").lower()
