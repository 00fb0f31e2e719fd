"""What `backends` can do with client certificates."""

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from apis.client_tls import generate_client_certificate, remove_client_certificate, set_client_certificate
from rest.serializers.base import Nothing
from rest.serializers.domains import CertificateInput
from rest.views.base import act

CERTIFICATE_INPUTS: dict[str, type[Serializer]] = {
    "set_client_certificate": CertificateInput,
    "generate_client_certificate": Nothing,
    "remove_client_certificate": Nothing,
}


class ClientCertificateActions:
    """How nodes show themselves to a backend that asks who calls."""

    @act()
    def set_client_certificate(self, request: Request, pk: str) -> Response:
        """Show this certificate to the backend from the next connection on."""
        backend, data = self.target()  # type: ignore[attr-defined]
        actor = self.caller.user  # type: ignore[attr-defined]
        return self.answer(set_client_certificate(backend=backend, actor=actor, **data))  # type: ignore[attr-defined]

    @act()
    def generate_client_certificate(self, request: Request, pk: str) -> Response:
        """Make a certificate for a year; let the backend trust the `client_certificate` that is answered."""
        backend, _ = self.target()  # type: ignore[attr-defined]
        actor = self.caller.user  # type: ignore[attr-defined]
        return self.answer(generate_client_certificate(backend=backend, actor=actor))  # type: ignore[attr-defined]

    @act()
    def remove_client_certificate(self, request: Request, pk: str) -> Response:
        """Show the backend nothing any more."""
        backend, _ = self.target()  # type: ignore[attr-defined]
        actor = self.caller.user  # type: ignore[attr-defined]
        return self.answer(remove_client_certificate(backend=backend, actor=actor))  # type: ignore[attr-defined]
