"""Which URLs webhooks may be sent to: https and no addresses of the inside, unless WEBHOOK_PRIVATE allows them.

The name is looked up at each attempt, every address it has is checked, and the one that was checked is called, so a
name that changes meanwhile leads nowhere else.
"""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from accounts.errors import Refused

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")


class NotAllowed(Exception):
    """The URL leads where nothing is sent; the message says why, as a whole sentence."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """A URL taken apart. `netloc` goes into the Host header, `target` is path and query."""

    scheme: str
    host: str
    port: int
    netloc: str
    target: str


def check_url(url: str) -> str:
    """Return the URL without blanks around it; Refused (field `url`) for one that nothing could be sent to."""
    url = url.strip()
    try:
        receiver = read(url)
        literal = _literal(receiver.host)
        if literal is not None:
            _check(literal, receiver.host)
    except NotAllowed as error:
        raise Refused(str(error), field="url", code="url_not_allowed") from error
    return url


def read(url: str) -> Receiver:
    """Take a URL apart; raises NotAllowed."""
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").rstrip(".").encode("idna").decode()
    except (ValueError, UnicodeError) as error:
        raise NotAllowed("The URL cannot be read; write it as https://example.com/hooks.") from error
    if parts.scheme != "https" and not (parts.scheme == "http" and settings.WEBHOOK_PRIVATE):
        raise NotAllowed("The URL must begin with https://.")
    if not host or any(not 32 < ord(each) < 127 for each in url):
        raise NotAllowed("The URL cannot be read; write it as https://example.com/hooks.")
    if "@" in parts.netloc:
        raise NotAllowed("The URL must not carry a user name or password; deliveries are signed instead.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Receiver(
        parts.scheme, host, port or (443 if parts.scheme == "https" else 80), parts.netloc, target
    )


def resolve(receiver: Receiver) -> str:
    """Return an IP address of the receiver that may be called; raises NotAllowed, or OSError for unknown names."""
    found = socket.getaddrinfo(receiver.host, receiver.port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    for address in addresses:
        _check(ipaddress.ip_address(address.partition("%")[0]), receiver.host)
    return addresses[0]


def _literal(host: str) -> Ip | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _check(address: Ip, host: str) -> None:
    inner = embedded(address)
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified:
        raise NotAllowed(f"{host} is an address that webhooks are never sent to.")
    if not (inner.is_global or settings.WEBHOOK_PRIVATE):
        raise NotAllowed(f"{host} is an address of the inside, to which webhooks are not sent.")


def embedded(address: Ip) -> Ip:
    """Return the IPv4 address that an IPv6 address stands for, if it does; else itself."""
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo
        if address in NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)
    return address
