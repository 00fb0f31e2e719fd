"""Forms of the admin console: importing a document, deploying, moving stages."""

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.errors import Refused
from accounts.models import Organization
from apis.import_document import fetch_document
from apis.models import LIVE, Api, ApiVersion, Backend, Deployment, Stage
from apis.openapi import Document, DocumentError, parse
from apis.openapi.servers import suggest_backends

SOURCES = ("url", "upload", "text")


class DocumentFields(forms.Form):
    """A document by URL, upload or paste: exactly one of them. `cleaned_data["document"]` is the Document."""

    url = forms.CharField(
        label="Fetch from URL",
        required=False,
        max_length=2_000,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as http://localhost:8081/spec.json.",
    )
    upload = forms.FileField(
        label="Or upload a file",
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="JSON or YAML: OpenAPI 3.0, 3.1 or Swagger 2.0.",
    )
    text = forms.CharField(
        label="Or paste it",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        given = [name for name in SOURCES if cleaned.get(name)]
        if len(given) != 1:
            if not self.errors:
                self.add_error(given[1] if given else "url", "Give a URL, a file or a text: one of them.")
            return cleaned
        try:
            cleaned["document"] = _read(given[0], cleaned)
        except (DocumentError, Refused) as error:
            self.add_error(given[0], str(error))
        else:
            cleaned["suggested"] = suggest_backends(cleaned["document"], cleaned.get("url") or "")
        return cleaned


def _read(source: str, cleaned: dict[str, Any]) -> Document:
    limit = settings.DOCUMENT_MAX_BYTES
    if source == "url":
        return parse(fetch_document(cleaned["url"]), max_bytes=limit)
    if source == "upload":
        if cleaned["upload"].size > limit:
            raise DocumentError(f"The document is larger than {limit // 1_000_000} MB.")
        return parse(cleaned["upload"].read(), max_bytes=limit)
    return parse(cleaned["text"], max_bytes=limit)


class ImportForm(DocumentFields, forms.ModelForm):
    """A new version: of an API that is there, or of a new one; with a backend that is there, or a new one."""

    organization = forms.ModelChoiceField(
        Organization.objects.all(),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="The provider of a new API.",
    )
    new_api = forms.CharField(
        label="Or a new API",
        required=False,
        max_length=120,
        widget=UnfoldAdminTextInputWidget,
        help_text="Its name in the catalogue.",
    )
    new_backend_url = forms.CharField(
        label="Or a new backend",
        required=False,
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text="http(s)://host[:port][/path]: where operations without an integration of their own go.",
    )

    class Meta:
        model = ApiVersion
        fields = ("api", "name", "backend", "key_required")
        widgets = {"key_required": UnfoldBooleanSwitchWidget}

    field_order = (
        "api", "organization", "new_api", "name", *SOURCES, "backend", "new_backend_url", "key_required"
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["api"].required = False
        self.fields["api"].help_text = "An API that is there already."

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if bool(cleaned.get("api")) == bool(cleaned.get("new_api")):
            self.add_error("api", "Choose an API, or name a new one.")
        elif cleaned.get("new_api") and not cleaned.get("organization"):
            self.add_error("organization", "Say which organization provides the new API.")
        if cleaned.get("backend") and cleaned.get("new_backend_url"):
            self.add_error("new_backend_url", "Choose a backend, or give the URL of a new one.")
        return cleaned


class DeployForm(forms.Form):
    """Which stage to move to the version as it is now."""

    stage_name = forms.CharField(
        label="Stage",
        initial=LIVE,
        max_length=128,
        widget=UnfoldAdminTextInputWidget,
        help_text="A stage that is not there yet is made.",
    )
    note = forms.CharField(required=False, max_length=200, widget=UnfoldAdminTextInputWidget)


class DeprecateForm(forms.Form):
    """When a deprecated version may end."""

    sunset_at = forms.SplitDateTimeField(
        label="Ends at",
        required=False,
        widget=UnfoldAdminSplitDateTimeWidget,
        help_text="When it may stop answering; empty = not decided. Developers see it.",
    )


class RollBackForm(forms.Form):
    """The deployment a stage goes back to."""

    deployment = forms.ModelChoiceField(
        Deployment.objects.none(),
        required=False,
        widget=UnfoldAdminSelectWidget,
        empty_label="The one before the current",
    )

    def __init__(self, *args: Any, stage: Stage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["deployment"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = stage.version.deployments.exclude(pk=stage.deployment_id).select_related(
            "version__api"
        )


class PromoteForm(forms.Form):
    """The stage that gets this stage's deployment."""

    to = forms.CharField(
        label="To the stage", initial=LIVE, max_length=128, widget=UnfoldAdminTextInputWidget
    )


class ApiForm(forms.ModelForm):
    """An API; the slug is made from the name when it is left empty."""

    class Meta:
        model = Api
        fields = (
            "organization",
            "name",
            "slug",
            "summary",
            "description",
            "visibility",
            "category",
            "tags",
            "region",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False


class VersionForm(forms.ModelForm):
    """What can be changed of a version without importing it anew."""

    class Meta:
        model = ApiVersion
        fields = ("backend", "key_required", "disable_execute_api_endpoint")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields.get("backend")
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = Backend.objects.filter(organization=self.instance.organization_id)
