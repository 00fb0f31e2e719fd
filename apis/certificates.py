"""Checks of certificates and private keys in PEM. Pure; each refusal names the field and the way out."""

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.utils.timezone import now

from accounts.errors import Refused

MAX_BYTES = 200_000
LONGEST_CHAIN = 10
SMALLEST_RSA = 2048
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Pair:
    """A checked certificate chain with its private key, both as PEM in one form."""

    certificate: str
    private_key: str
    expires_at: datetime
    fingerprint: str


def read_pair(certificate: str, private_key: str) -> Pair:
    """Check that chain and key belong together, are in order and hold now.

    Raises Refused at certificate or private_key.
    """
    field = "certificate"
    chain = read_certificates(certificate, field=field)
    if len(chain) > LONGEST_CHAIN:
        raise Refused(f"Give at most {LONGEST_CHAIN} certificates.", field=field)
    key = _read_key(private_key)
    if _public_bytes(key.public_key()) != _public_bytes(chain[0].public_key()):
        message = "This private key does not belong to the first certificate."
        raise Refused(message, field="private_key")
    for number, (lower, upper) in enumerate(pairwise(chain), start=1):
        if not _signed_by(lower, upper):
            message = (
                f"Certificate {number + 1} did not sign certificate {number}: give the host's own first, "
            )
            raise Refused(message + "then its signer, and so on up.", field=field)
    check_time(chain[0], field=field)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return Pair(pem_of(chain), text, chain[0].not_valid_after_utc, fingerprint_of(chain[0]))


def read_certificates(text: str, *, field: str) -> list[x509.Certificate]:
    """Return the certificates of a PEM text, one at least; raises Refused."""
    if len(text) > MAX_BYTES:
        raise Refused(f"Give at most {MAX_BYTES // 1000} kB of certificates.", field=field)
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        message = "This is no certificate in PEM; it begins with -----BEGIN CERTIFICATE-----."
        raise Refused(message, field=field) from error


def read_trust_store(text: str, *, field: str = "client_ca") -> str:
    """Check the authorities whose client certificates are taken; returns them in one form, '' for none."""
    if not text.strip():
        return ""
    found = {fingerprint_of(each): each for each in read_certificates(text, field=field)}
    for each in found.values():
        name = each.subject.rfc4514_string()[:100]
        if not _is_authority(each):
            message = (
                f"{name} is no certificate authority: give the one that signs the clients' certificates."
            )
            raise Refused(message, field=field)
        check_time(each, field=field)
        if not any(_signed_by(each, other) for other in found.values()):
            message = f"The signer of {name} is missing: give every authority up to the root."
            raise Refused(message, field=field)
    return pem_of(list(found.values()))


def check_host(certificate: str, host: str) -> None:
    """Refuse a certificate whose names do not cover the host (exact, or `*.example.com`)."""
    first = x509.load_pem_x509_certificates(certificate.encode())[0]
    try:
        extension = first.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = [name.lower() for name in extension.value.get_values_for_type(x509.DNSName)]
    except x509.ExtensionNotFound:
        names = []
    if host not in names and f"*.{host.partition('.')[2]}" not in names:
        told = ", ".join(names[:5]) or "no host"
        message = (
            f"The certificate is for {told}, not for {host}: its Subject Alternative Names must have it."
        )
        raise Refused(message, field="certificate")


def check_time(certificate: x509.Certificate, *, field: str) -> None:
    """Refuse what has expired or is not yet valid."""
    if certificate.not_valid_after_utc <= now():
        ended = certificate.not_valid_after_utc
        raise Refused(f"This certificate expired on {ended:%Y-%m-%d}; give a new one.", field=field)
    if certificate.not_valid_before_utc > now():
        begins = certificate.not_valid_before_utc
        raise Refused(f"This certificate is not valid before {begins:%Y-%m-%d %H:%M} UTC.", field=field)


def pem_of(certificates: list[x509.Certificate]) -> str:
    """Return the certificates as PEM, without the comments that files have between them."""
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in certificates)


def expires_at(certificate: str) -> datetime:
    """Return when the first certificate of a PEM text ends."""
    return x509.load_pem_x509_certificates(certificate.encode())[0].not_valid_after_utc


def fingerprint_of(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate in hex."""
    return certificate.fingerprint(SHA256()).hex()


def _read_key(text: str) -> PrivateKey:
    field = "private_key"
    try:
        key = load_pem_private_key(text[:MAX_BYTES].encode(), password=None)
    except TypeError as error:
        message = "This private key is protected by a password; give it without one."
        raise Refused(message, field=field) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        message = "This is no private key in PEM; it begins with -----BEGIN PRIVATE KEY-----."
        raise Refused(message, field=field) from error
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size < SMALLEST_RSA:
        raise Refused(f"Use an RSA key of {SMALLEST_RSA} bits or more.", field=field)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise Refused("Use an RSA key or an elliptic curve key (ECDSA).", field=field)
    return key


def _public_bytes(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False
