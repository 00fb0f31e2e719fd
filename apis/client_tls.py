"""How nodes show themselves to a backend: client certificates (what AWS calls a ClientCertificate).

A backend verifies it to be sure that a call came through the gateway. Private keys are kept encrypted, never told.
"""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.encryption import encrypt
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import locked
from apis.certificates import expires_at, read_pair
from apis.models import Backend
from apis.signals import backends_changed

VALID_DAYS = 365
_KEY_BITS = 2048


@transaction.atomic
def set_client_certificate(
    *, backend: Backend, certificate: str, private_key: str, actor: User | None
) -> Backend:
    """Show this certificate (PEM, with its chain) to the backend from the next connection on.

    Refused: fields certificate and private_key.
    """
    backend = locked(backend)
    _check_https(backend)
    pair = read_pair(certificate, private_key)
    return _show(backend, pair.certificate, pair.private_key, actor, "client_certificate.set")


@transaction.atomic
def generate_client_certificate(*, backend: Backend, actor: User | None) -> Backend:
    """Make a certificate of our own, for VALID_DAYS days; the backend then trusts `backend.client_certificate`."""
    backend = locked(backend)
    _check_https(backend)
    certificate, private_key = _make(backend)
    return _show(backend, certificate, private_key, actor, "client_certificate.generated")


@transaction.atomic
def remove_client_certificate(*, backend: Backend, actor: User | None) -> Backend:
    """Show the backend nothing any more."""
    backend = locked(backend)
    if backend.client_certificate:
        backend.client_certificate = backend.sealed_client_key = ""
        _save(
            backend, actor, "client_certificate.removed", f"{backend.name} is shown no certificate any more"
        )
    return backend


def _check_https(backend: Backend) -> None:
    if not backend.url.startswith("https://"):
        message = "Only a backend with an https URL can ask for a certificate; change its URL first."
        raise Refused(message, field="certificate")


def _show(backend: Backend, certificate: str, private_key: str, actor: User | None, action: str) -> Backend:
    backend.client_certificate, backend.sealed_client_key = certificate, encrypt(private_key)
    summary = f"{backend.name} is shown a client certificate until {expires_at(certificate):%Y-%m-%d}"
    _save(backend, actor, action, summary)
    return backend


def _save(backend: Backend, actor: User | None, action: str, summary: str) -> None:
    backend.save(update_fields=["client_certificate", "sealed_client_key"])
    record(organization=backend.organization, actor=actor, action=action, target=backend, summary=summary)
    backends_changed.send(sender=Backend, backend_ids=[backend.pk])


def _make(backend: Backend) -> tuple[str, str]:
    """Return a self-signed certificate and its key, both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"gatehouse {backend.pk}")])
    starts = now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts - datetime.timedelta(minutes=5))  # clocks differ
        .not_valid_after(starts + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
        .sign(key, SHA256())
    )
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return certificate.public_bytes(Encoding.PEM).decode(), text
