"""Certificates for tests: authorities, servers, clients, with any fault that a test wants."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NO_PASSWORD = serialization.NoEncryption()


@dataclass(frozen=True)
class Made:
    """A certificate with its private key; `chain` are the PEM texts of the authorities above it, but the root."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    chain: str = ""

    @property
    def pem(self) -> str:
        """The certificate and its chain."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode() + self.chain

    @property
    def private_key(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, _NO_PASSWORD
        ).decode()

    def files(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write both; returns the paths of certificate and key."""
        (folder / f"{name}.pem").write_text(self.pem)
        (folder / f"{name}.key").write_text(self.private_key)
        return folder / f"{name}.pem", folder / f"{name}.key"


def authority(name: str = "Test Root", *, issuer: Made | None = None) -> Made:
    """A certificate authority: a root, or one below `issuer`."""
    return _make(name, issuer=issuer, ca=True)


def leaf(*names: str, issuer: Made | None = None, days: int = 30, subject: str = "") -> Made:
    """A certificate for DNS names (the first is its subject); self-signed without an issuer.

    `days` is how long it holds from now; a negative number makes one that has expired. Names may be none, for a
    client: then `subject` says who it is.
    """
    return _make(subject or names[0], names=names, issuer=issuer, days=days)


def _make(
    subject: str,
    *,
    names: tuple[str, ...] = (),
    issuer: Made | None = None,
    days: int = 30,
    ca: bool = False,
) -> Made:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer.certificate.subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=60))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if names:
        sans = x509.SubjectAlternativeName([x509.DNSName(each) for each in names])
        builder = builder.add_extension(sans, critical=False)
    certificate = builder.sign(issuer.key if issuer else key, hashes.SHA256())
    above = issuer.pem if issuer and issuer.certificate.issuer != issuer.certificate.subject else ""
    return Made(key, certificate, above)
