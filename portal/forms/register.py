"""Registering an API: one form whose parts are filled in one after the other."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.conf import settings

from access.models import QuotaPeriod, UsagePlan
from accounts.errors import Refused
from accounts.models import Organization
from apis.import_document import fetch_document
from apis.models import Api, Backend, Visibility
from apis.openapi.operation_edits import METHODS, empty_document
from apis.openapi.writing import YAML, written
from portal.publishing.reading import MOST_CHARACTERS

SOURCES = (
    ("url", "Fetch it from a URL"),
    ("upload", "Upload a file"),
    ("text", "Paste it"),
    ("empty", "Start empty: add operations here"),
)
# asked for by the step that needs them, so not marked as optional
NEEDED = ("url", "upload", "text", "name", "version", "path", "plan_name", "key_required")
NO_PLAN, NEW_PLAN, NEW_BACKEND = "", "new", ""
NO_BACKEND = "None: every operation has a URL of its own"


class RegisterForm(forms.Form):
    """Everything is optional until `publishing`: so each step keeps what was typed for the others."""

    source = forms.ChoiceField(label="OpenAPI document", choices=SOURCES, widget=forms.RadioSelect)
    url = forms.CharField(
        label="URL", max_length=2_000, help_text="Such as https://example.com/openapi.json. JSON or YAML."
    )
    upload = forms.FileField(label="File", help_text="OpenAPI 3.0, 3.1 or Swagger 2.0, JSON or YAML.")
    text = forms.CharField(
        label="Document",
        strip=False,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "source", "wrap": "off"}),
    )
    fetched_from = forms.CharField(widget=forms.HiddenInput)
    name = forms.CharField(label="Name", max_length=120, help_text="As the catalogue shows it.")
    version = forms.CharField(
        label="Version", max_length=40, help_text="Such as v1: the second part of its address."
    )
    summary = forms.CharField(label="Summary", max_length=200, help_text="One line for the catalogue.")
    visibility = forms.ChoiceField(label="Who sees it", choices=Visibility.choices)
    key_required = forms.BooleanField(
        label="Operations need an API key where the document does not say", initial=True
    )
    backend = forms.ChoiceField(label="Backend")
    backend_url = forms.CharField(
        label="URL of a new backend",
        max_length=500,
        help_text="http(s)://host[:port][/path]: the paths of operations follow it.",
        widget=forms.TextInput(attrs={"list": "suggested", "inputmode": "url"}),
    )
    method = forms.ChoiceField(label="Method", choices=[(each, each) for each in METHODS])
    path = forms.CharField(label="Path", max_length=2_000, help_text="Such as /orders/{id}.")
    operation_summary = forms.CharField(label="What it does", max_length=300)
    plan = forms.ChoiceField(label="Usage plan")
    plan_name = forms.CharField(label="Name of the new plan", max_length=80)
    plan_rate = forms.FloatField(label="Calls a second", min_value=0, help_text="Empty: no limit.")
    plan_burst = forms.IntegerField(label="Calls at once", min_value=0)
    plan_quota = forms.IntegerField(label="Quota (calls)", min_value=1, help_text="Empty: no quota.")
    plan_period = forms.ChoiceField(label="Quota per", choices=QuotaPeriod.choices)

    def __init__(
        self,
        *args: Any,
        organization: Organization,
        api: Api | None,
        backends: Iterable[Backend],
        publishing: bool = False,
        chooses_only: bool = False,
        **kwargs: Any,
    ) -> None:
        """`chooses_only`: she makes no backend and no plan, and chooses among `backends`."""
        super().__init__(*args, **kwargs)
        self.organization, self.api, self.publishing = organization, api, publishing
        for name, field in self.fields.items():
            field.required = False
            field.needed = name in NEEDED  # type: ignore[attr-defined]
        self.backends = {each.pk: each for each in backends}
        self.plans = {
            each.pk: each for each in organization.usage_plans.exclude(visibility="archived").order_by("name")
        }
        known = [(pk, f"{each.name}: {each.url}") for pk, each in self.backends.items()]
        self._choices("backend", [(NEW_BACKEND, NO_BACKEND if chooses_only else "A new one"), *known])
        there = [(pk, each.name) for pk, each in self.plans.items()]
        self._choices("plan", [(NO_PLAN, "No plan yet"), (NEW_PLAN, "A new plan"), *there])
        if api is not None:
            for name in ("name", "summary", "visibility"):
                del self.fields[name]
        if chooses_only:
            for name in ("backend_url", "plan", *(each for each in self.fields if each.startswith("plan_"))):
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.publishing:
            needed = {"name": "Name the API.", "version": "Name the version, such as v1."}
            for name, message in needed.items():
                if name in self.fields and not cleaned.get(name):
                    self.add_error(name, message)
            if cleaned.get("plan") == NEW_PLAN and not cleaned.get("plan_name"):
                self.add_error("plan_name", "Name the plan, such as Free.")
        return cleaned

    def chosen_text(self) -> str | None:
        """Return the document's text from the chosen source; None = there is none, and the form says why."""
        source = self.cleaned_data.get("source") or "text"
        if source == "empty":
            title = self.cleaned_data.get("name") or (self.api.name if self.api else "") or "My API"
            return written(empty_document(title), YAML)
        given = self.cleaned_data.get(source)
        if not given:
            self.add_error(source, "This is empty. Fill it in, or choose another way.")
            return None
        if source == "text":
            return str(given)
        try:
            found = fetch_document(given) if source == "url" else given.read(settings.DOCUMENT_MAX_BYTES + 1)
        except Refused as refused:
            self.add_error(source, refused.message)
            return None
        return self._decoded(found, source)

    def new_plan(self) -> UsagePlan | dict[str, Any] | None:
        """Return what `portal.publishing.register` takes as a plan."""
        data = self.cleaned_data
        if data.get("plan") != NEW_PLAN:
            return self.plans.get(data.get("plan", NO_PLAN))
        return {
            "name": data["plan_name"],
            "throttle_rate": data["plan_rate"],
            "throttle_burst": data["plan_burst"],
            "quota_limit": data["plan_quota"],
            "quota_period": data["plan_period"] or QuotaPeriod.MONTH,
        }

    def _decoded(self, found: bytes, source: str) -> str | None:
        if len(found) > MOST_CHARACTERS:
            limit = MOST_CHARACTERS // 1_000_000
            message = f"This page takes documents of up to {limit} MB; import larger ones by the REST API."
            self.add_error(source, message)
            return None
        try:
            encoding = "utf-16" if found[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
            return found.decode(encoding)
        except UnicodeDecodeError as error:
            self.add_error(source, f"This is not UTF-8 text (byte {error.start + 1}).")
            return None

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices
