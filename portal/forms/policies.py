"""Policies as fields, or as JSON or YAML: the same data."""

from typing import Any

from django import forms

from apis.openapi import DocumentError
from apis.openapi.parse import read_values
from apis.openapi.writing import written
from apis.policy_forms import PolicyForm as AdminPolicyForm, initial_of
from portal.forms.plain import PlainWidgets

FORM = "form"
TABS = {FORM: "Form", "yaml": "YAML", "json": "JSON"}
MOST_CHARACTERS = 200_000


class PolicyForm(PlainWidgets, AdminPolicyForm):
    """A field for each value."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.needed = True  # type: ignore[attr-defined]  # all are optional, so none says it


class PolicyText(forms.Form):
    """The whole policy as a text."""

    text = forms.CharField(
        label="Policy",
        required=False,
        strip=False,
        max_length=MOST_CHARACTERS,
        widget=forms.Textarea(attrs={"rows": 18, "spellcheck": "false", "class": "source", "wrap": "off"}),
    )

    def clean_text(self) -> Any:
        text = self.cleaned_data["text"]
        if not text.strip():
            return {}
        try:
            return read_values(text) or {}
        except DocumentError as error:
            raise forms.ValidationError(str(error)) from error

    def policy(self) -> Any:
        """Return what was written; the verb says what is wrong with it."""
        return self.cleaned_data["text"]

    @staticmethod
    def field_at(_path: str) -> str:
        return "text"


def policy_form(tab: str, data: Any, policy: dict[str, Any]) -> PolicyForm | PolicyText:
    """Return the form of a tab, filled with the policy."""
    if tab == FORM:
        return PolicyForm(data, initial=initial_of(policy))
    return PolicyText(data, initial={"text": written(policy, tab) if policy else ""})
