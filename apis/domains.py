"""Custom domains: host names with a certificate of their own, what AWS calls a DomainName.

A host belongs to one organization: the one that has the domain, or a wildcard above it, or the first base path
mapping on it. Private keys are kept encrypted and never told.
"""

from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from accounts.audit import record
from accounts.encryption import decrypt, encrypt
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import locked, taken_is_refused
from apis.certificates import Pair, check_host, read_pair, read_trust_store
from apis.models import BasePathMapping, DomainName
from apis.names import clean_host
from apis.signals import domains_changed

# any number that no other advisory lock of this database uses
_LOCK = 7_241_101
FIELDS = ("certificate", "private_key", "client_ca")


@transaction.atomic
def create_domain(
    *,
    organization: Organization,
    host: str,
    certificate: str,
    private_key: str,
    client_ca: str = "",
    actor: User | None,
) -> DomainName:
    """Give a host (`api.example.com`, `*.example.com`) its certificate; with `client_ca` clients need one too.

    PEM texts: the chain with the host's own first, its key without a password, the authorities whose client
    certificates are taken. Refused: each by its field; code `taken` when the host is another organization's.
    """
    host = clean_domain(host)
    check_owner(host, organization.pk)
    pair = _pair(host, certificate, private_key)
    domain = DomainName(organization=organization, host=host, client_ca=read_trust_store(client_ca))
    _take(domain, pair)
    with taken_is_refused(f"There is a domain {host} already; change that one.", field="host"):
        domain.save(force_insert=True)
    _announce(domain, actor, "domain.created", f"Gave {host} a certificate", {})
    return domain


@transaction.atomic
def change_domain(*, domain: DomainName, actor: User | None, **fields: str) -> DomainName:
    """Change certificate, private_key or client_ca ('' = clients need none); new handshakes follow at once.

    A new certificate may come without private_key when it was made for the same key.
    """
    unknown = fields.keys() - set(FIELDS)
    if unknown:
        raise TypeError(f"a domain has no field {', '.join(sorted(unknown))}")
    domain = locked(domain)
    changes: dict[str, Any] = {}
    if "certificate" in fields or "private_key" in fields:
        given = fields.get("certificate", domain.certificate)
        pair = _pair(domain.host, given, fields.get("private_key") or decrypt(domain.sealed_key))
        if pair.fingerprint != domain.fingerprint or pair.certificate != domain.certificate:
            changes["certificate"] = [domain.fingerprint, pair.fingerprint]
            changes["expires_at"] = [domain.expires_at.isoformat(), pair.expires_at.isoformat()]
            _take(domain, pair)
    if "client_ca" in fields:
        trust = read_trust_store(fields["client_ca"])
        if trust != domain.client_ca:
            changes["client_ca"] = [_count(domain.client_ca), _count(trust)]
            domain.client_ca = trust
    if changes:
        domain.save()
        _announce(domain, actor, "domain.changed", f"Changed the domain {domain.host}", changes)
    return domain


@transaction.atomic
def delete_domain(*, domain: DomainName, actor: User | None) -> None:
    """Take the certificate away. Refused while base path mappings lead through the host.

    Without that, a domain that asks for client certificates would go on without asking.
    """
    mappings = mappings_of(domain.host).filter(organization=domain.organization_id)
    if not domain.host.startswith("*."):
        left = mappings.count()
    else:
        exact = DomainName.objects.filter(organization=domain.organization_id).exclude(pk=domain.pk)
        left = mappings.exclude(host__in=exact.values("host")).count()
    if left:
        message = f"{left} base path mapping(s) lead through {domain.host}; remove them first."
        raise Refused(message, field="host", code="in_use")
    record(
        organization=domain.organization,
        actor=actor,
        action="domain.deleted",
        target=domain,
        summary=f"Took the certificate of {domain.host} away",
    )
    domain.delete()
    domains_changed.send(sender=DomainName, hosts=[domain.host])


def clean_domain(text: str) -> str:
    """Return a domain's host in lower case; raises Refused(field="host")."""
    host = text.strip().lower()
    if host.startswith("*."):
        parent = clean_host(host[2:])
        if not parent or parent.startswith("execute-api."):
            raise Refused("Give a wildcard such as *.example.com.", field="host")
        return f"*.{parent}"
    host = clean_host(host)
    if not host:
        raise Refused("Give a host such as api.example.com or *.example.com.", field="host")
    return host


def wildcard_of(host: str) -> str:
    """Return the wildcard that covers a host."""
    return f"*.{host.partition('.')[2]}"


def mappings_of(host: str) -> "QuerySet[BasePathMapping]":
    """Return the base path mappings at a host, or at those that a wildcard covers."""
    if host.startswith("*."):
        return BasePathMapping.objects.filter(host__regex=rf"^[^.]+{_escaped(host)}$")
    return BasePathMapping.objects.filter(host=host)


def domains_around(host: str) -> "QuerySet[DomainName]":
    """Return the domains that share names with a host: itself, the wildcard above, those that it covers."""
    if host.startswith("*."):
        return DomainName.objects.filter(host__regex=rf"^[^.]+{_escaped(host)}$")
    return DomainName.objects.filter(host__in=[host, wildcard_of(host)])


def check_owner(host: str, organization_id: str) -> None:
    """Refuse a host of which another organization has a domain or a base path mapping."""
    _one_at_a_time()
    for rows in (domains_around(host), mappings_of(host)):
        if rows.exclude(organization=organization_id).exists():
            raise Refused(f"The host {host} belongs to another organization.", field="host", code="taken")


def _one_at_a_time() -> None:
    """Let one transaction at a time claim hosts: no constraint can tell that a wildcard covers a host."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _escaped(wildcard: str) -> str:
    return wildcard[1:].replace(".", r"\.")


def _pair(host: str, certificate: str, private_key: str) -> Pair:
    pair = read_pair(certificate, private_key)
    check_host(pair.certificate, host)
    return pair


def _take(domain: DomainName, pair: Pair) -> None:
    domain.certificate, domain.sealed_key = pair.certificate, encrypt(pair.private_key)
    domain.expires_at, domain.fingerprint = pair.expires_at, pair.fingerprint


def _count(trust: str) -> str:
    number = trust.count("-----BEGIN CERTIFICATE-----")
    return f"{number} authorities" if number != 1 else "1 authority"


def _announce(
    domain: DomainName, actor: User | None, action: str, summary: str, changes: dict[str, Any]
) -> None:
    record(
        organization=domain.organization,
        actor=actor,
        action=action,
        target=domain,
        summary=summary,
        changes=changes,
    )
    domains_changed.send(sender=DomainName, hosts=[domain.host])
