"""What a version says beside its operations, and the operations themselves."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from apis.backend_forms import BackendForm as AdminBackendForm
from apis.document_forms import KeysForm, ResponseForm as AdminResponseForm
from apis.models import Backend
from apis.openapi.operation_edits import METHODS
from portal.forms.plain import PlainWidgets


class OperationForm(forms.Form):
    """One more operation."""

    method = forms.ChoiceField(label="Method", choices=[(each, each) for each in METHODS])
    path = forms.CharField(label="Path", max_length=2_000, help_text="Such as /orders/{id}.")
    summary = forms.CharField(label="What it does", required=False, max_length=300)


class OperationEdit(forms.Form):
    """What can be changed of an operation without its policy."""

    summary = forms.CharField(label="What it does", required=False, max_length=300)
    key_required = forms.BooleanField(label="Calls need an API key", required=False)


class VersionForm(PlainWidgets, KeysForm):
    """Backend, key default, where keys are, compression."""

    backend = forms.ModelChoiceField(
        Backend.objects.none(),
        required=False,
        empty_label="None: every operation has a URL of its own",
        help_text="Where operations without an integration of their own go.",
    )
    key_required = forms.BooleanField(
        label="Operations need an API key where the document does not say", required=False
    )

    disable_execute_api_endpoint = forms.BooleanField(
        label="Answer only at mapped addresses, not at the canonical one",
        required=False,
        help_text="Unlike the rest of this page it holds at once.",
    )

    field_order = (
        "backend", "key_required", "place", "name", "compress_from", "disable_execute_api_endpoint"
    )  # fmt: skip

    def __init__(self, *args: Any, backends: QuerySet[Backend], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["backend"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = backends


class ResponseForm(PlainWidgets, AdminResponseForm):
    """How refusals of one type look."""


class DocumentForm(forms.Form):
    """A version's whole document."""

    text = forms.CharField(
        label="Document",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 26, "spellcheck": "false", "class": "source", "wrap": "off"}),
    )


class BackendForm(PlainWidgets, AdminBackendForm):
    """A backend of one organization."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["organization"]
        labels = {
            "url": "URL",
            "connect_timeout_ms": "Longest wait for a connection (milliseconds)",
            "timeout_ms": "Longest wait for the answer (milliseconds)",
            "retries_on": "Tried again after",
        }
        for name, label in labels.items():
            self.fields[name].label = label
        self.fields["timeout_ms"].help_text = ""
