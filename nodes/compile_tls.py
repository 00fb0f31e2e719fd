"""Certificates -> entries: of domains, and of backends that ask nodes who they are.

In our tables, entries too, private keys are encrypted; only the answer to a node has them open (`opened`).
"""

import logging
from collections.abc import Collection, Iterator
from typing import Any

from accounts.encryption import UnreadableError, decrypt
from apis.models import Backend, DomainName
from gateway import entries as shapes
from nodes.change import Change

logger = logging.getLogger(__name__)


def certificates(hosts: Collection[str] | None) -> Iterator[Change]:
    """One change for each domain."""
    rows = DomainName.objects.order_by("pk")
    found = {row.host: row for row in (rows if hosts is None else rows.filter(host__in=hosts))}
    for domain in found.values():
        data = shapes.Certificate(domain.certificate, domain.sealed_key, domain.client_ca)
        yield Change("certificate", domain.host, domain.organization_id, data)
    for host in sorted(set(hosts or ()) - found.keys()):
        yield Change("certificate", host, None, None)


def client_tls(backend: Backend) -> shapes.ClientTls | None:
    """Return how nodes show themselves to a backend; None = they do not."""
    if not backend.client_certificate:
        return None
    return shapes.ClientTls(backend.client_certificate, backend.sealed_client_key)


def opened(kind: str, key: str, data: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return an entry's data with its private key readable, as a node needs it.

    One that cannot be decrypted is left out: the node refuses the certificate, says so, and keeps the old one.
    """
    if data is None:
        return None
    if kind == "certificate":
        return data | {"private_key": _open(kind, key, data["private_key"])}
    tls = data.get("tls") if kind == "backend" else None
    if tls:
        return data | {"tls": tls | {"private_key": _open(kind, key, tls["private_key"])}}
    return data


def without_secrets(data: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return an entry's data for people to see: no private key, not even an encrypted one."""
    if data is None:
        return None
    shown = {name: without_secrets(value) if name == "tls" else value for name, value in data.items()}
    return shown | {"private_key": "hidden"} if "private_key" in data else shown


def _open(kind: str, key: str, sealed: str) -> str:
    try:
        return decrypt(sealed)
    except UnreadableError as error:
        logger.error("%s %s: %s", kind, key, error)
        return ""
