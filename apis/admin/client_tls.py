"""Client certificates of backends in the admin console. A private key can be written here, never read."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.verb_admin import person
from apis.admin.domains import SecretTextarea
from apis.admin.pages import form_page
from apis.certificates import expires_at
from apis.client_tls import generate_client_certificate, remove_client_certificate, set_client_certificate
from apis.models import Backend

INTRO = "Nodes show this certificate to the backend, so that it can tell who calls."


class ClientCertificateForm(forms.Form):
    certificate = forms.CharField(
        strip=False,
        max_length=200_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
        help_text="PEM: the certificate to show, then its signer, and so on up.",
    )
    private_key = forms.CharField(
        strip=False,
        max_length=200_000,
        widget=SecretTextarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text="PEM, without a password. It is kept encrypted and never shown.",
    )


class ClientCertificatePages:
    """The buttons of a backend's page; mixed into its admin."""

    actions_detail = (
        {
            "title": "Client certificate",
            "items": ["set_certificate_page", "generate_certificate", "remove_certificate"],
        },
    )

    @display(description="Client certificate")
    def shown_client_certificate(self, backend: Backend) -> str:
        if not backend.client_certificate:
            return "None: nodes do not show themselves to this backend."
        return f"Valid until {expires_at(backend.client_certificate):%Y-%m-%d}\n{backend.client_certificate}"

    @action(
        description="Set client certificate",
        url_path="client-certificate",
        permissions=["change"],
        icon="badge",
    )
    def set_certificate_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        backend = get_object_or_404(Backend, pk=object_id)

        def verb(data: dict[str, Any]) -> str:
            set_client_certificate(backend=backend, actor=person(request), **data)
            return f"{backend.name} is shown this certificate from now on."

        form = ClientCertificateForm(request.POST or None)
        title = f"Client certificate for {backend.name}"
        return form_page(request, row=backend, form=form, title=title, submit="Set", verb=verb, intro=INTRO)

    @action(
        description="Generate client certificate",
        url_path="generate-client-certificate",
        permissions=["change"],
        icon="autorenew",
    )
    def generate_certificate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(
            request,
            object_id,
            title="Generate a client certificate",
            done="Made a certificate; let the backend trust it.",
            verb=generate_client_certificate,
        )

    @action(
        description="Remove client certificate",
        url_path="remove-client-certificate",
        permissions=["change"],
        icon="close",
    )
    def remove_certificate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._ask(
            request,
            object_id,
            title="Remove the client certificate",
            done="Nodes do not show themselves to this backend any more.",
            verb=remove_client_certificate,
        )

    def _ask(self, request: HttpRequest, object_id: str, *, title: str, done: str, verb: Any) -> HttpResponse:
        """Show a page with one button, for a verb that needs no input."""
        backend = get_object_or_404(Backend, pk=object_id)

        def act(_: dict[str, Any]) -> str:
            verb(backend=backend, actor=person(request))
            return done

        form = forms.Form(request.POST if request.method == "POST" else None)
        return form_page(request, row=backend, form=form, title=title, submit=title, verb=act, intro=INTRO)
