"""Custom domains in the admin console. A private key can be written here, never read."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.timezone import now
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.verb_admin import VerbAdmin, person
from apis.domains import change_domain, create_domain, delete_domain
from apis.models import DomainName


class SecretTextarea(UnfoldAdminTextareaWidget):
    """Takes a secret and never shows it again, not even in a form that comes back with an error."""

    def format_value(self, value: Any) -> str:
        return ""


class DomainForm(forms.ModelForm):
    private_key = forms.CharField(
        strip=False,
        max_length=200_000,
        widget=SecretTextarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text="PEM, without a password. It is kept encrypted and never shown.",
    )

    class Meta:
        model = DomainName
        fields = ("organization", "host", "certificate", "client_ca")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        key = self.fields.get("private_key")
        if key and not self.instance._state.adding:
            key.required = False
            key.help_text = "Empty = the key that is kept. It is never shown."


@admin.register(DomainName)
class DomainNameAdmin(VerbAdmin):
    form = DomainForm
    list_display = ("host", "organization", "shown_state", "expires_at", "mutual_tls")
    list_filter = ("organization",)
    list_filter_submit = True
    list_select_related = ("organization",)
    search_fields = ("host", "organization__name")
    autocomplete_fields = ("organization",)
    facts = ("expires_at", "fingerprint", "created_at", "updated_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        written = ("organization", "host", "certificate", "private_key", "client_ca")
        return (*written, *self.facts) if obj else written

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("organization", "host", *self.facts) if obj else ()

    @display(
        description="Certificate", label={"valid": "success", "expires soon": "warning", "expired": "danger"}
    )
    def shown_state(self, domain: DomainName) -> str:
        left = domain.expires_at - now()
        if left.total_seconds() <= 0:
            return "expired"
        return "valid" if left.days >= 21 else "expires soon"

    @display(description="Client certificates", boolean=True)
    def mutual_tls(self, domain: DomainName) -> bool:
        return bool(domain.client_ca)

    def create(self, request: HttpRequest, data: dict[str, Any]) -> DomainName:
        return create_domain(**data, actor=person(request))

    def change(self, request: HttpRequest, row: DomainName, data: dict[str, Any]) -> None:
        given = {name: value for name, value in data.items() if name != "private_key" or value}
        change_domain(domain=row, actor=person(request), **given)

    def remove(self, request: HttpRequest, row: DomainName) -> None:
        delete_domain(domain=row, actor=person(request))
