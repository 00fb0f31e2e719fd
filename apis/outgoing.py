"""Where the control plane may go on a user's word: no addresses of the inside, unless FETCH_PRIVATE allows them.

The name is looked up once, every address that it has is checked, and the one that was checked is called, so a name
that changes meanwhile leads nowhere else. Gateway nodes have rules of their own: they stand where backends are.
"""

import ipaddress
import socket

from django.conf import settings

from accounts.webhooks.addresses import embedded
from apis.openapi.uris import Server


def addresses_of(server: Server) -> list[str]:
    """Return the IP addresses of a server; raises OSError for a name that is not known."""
    found = socket.getaddrinfo(server.host, server.port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def may_call(address: str) -> bool:
    """Whether an address may be called: never link-local, multicast or unspecified ones."""
    ip = embedded(ipaddress.ip_address(address.partition("%")[0]))
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified:
        return False
    return ip.is_global or bool(settings.FETCH_PRIVATE)
