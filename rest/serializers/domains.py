"""Custom domains."""

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Organization
from apis.models import DomainName
from rest.serializers.base import Strict, Visible


class PemField(serializers.CharField):
    """PEM text, with its line breaks."""

    def __init__(self, **kwargs: object) -> None:
        super().__init__(**{"max_length": 200_000, "trim_whitespace": False, **kwargs})  # type: ignore[arg-type]


class DomainSerializer(serializers.ModelSerializer):
    """A host with a certificate of its own. The private key is never told."""

    mutual_tls = serializers.SerializerMethodField(help_text="Whether clients must show a certificate.")

    class Meta:
        model = DomainName
        fields: tuple[str, ...] = (
            "id",
            "organization",
            "host",
            "certificate",
            "client_ca",
            "mutual_tls",
            "expires_at",
            "fingerprint",
            "created_at",
            "updated_at",
        )
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(serializers.BooleanField)
    def get_mutual_tls(self, domain: DomainName) -> bool:
        return bool(domain.client_ca)


CERTIFICATE_HELP = "PEM: the host's own certificate first, then its signer, and so on up."
KEY_HELP = "PEM, without a password. It is kept encrypted and never told."
TRUST_HELP = (
    "PEM: the authorities whose client certificates are taken, up to their roots; empty = clients need none."
)


class DomainInput(Strict):
    organization = Visible(
        Organization, required=False, help_text="The provider; default: the token's own organization."
    )
    host = serializers.CharField(max_length=255, help_text="api.example.com or *.example.com.")
    certificate = PemField(help_text=CERTIFICATE_HELP)
    private_key = PemField(help_text=KEY_HELP)
    client_ca = PemField(default="", allow_blank=True, help_text=TRUST_HELP)


class DomainChange(Strict):
    certificate = PemField(required=False, help_text=CERTIFICATE_HELP)
    private_key = PemField(
        required=False, help_text=f"{KEY_HELP} Not needed when the new certificate is for the same key."
    )
    client_ca = PemField(required=False, allow_blank=True, help_text=TRUST_HELP)


class CertificateInput(Strict):
    certificate = PemField(help_text="PEM: the certificate to show, then its signer, and so on up.")
    private_key = PemField(help_text=KEY_HELP)
