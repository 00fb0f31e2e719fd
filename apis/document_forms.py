"""Forms for what a version's document says for all of its operations."""

import re
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apis.openapi.root import Root
from apis.policy_forms import lines

PLACES = (
    ("header", "A header"),
    ("bearer", "Authorization: Bearer KEY"),
    ("query", "A query parameter"),
    ("authorizer", "What a Lambda authorizer names (usageIdentifierKey)"),
)
JSON = "application/json"


class KeysForm(forms.Form):
    """Where keys are, and from which size on answers are compressed."""

    place = forms.ChoiceField(
        label="The API key is in", choices=PLACES, widget=UnfoldAdminSelectWidget, initial="header"
    )
    name = forms.CharField(
        label="Name of the header or parameter",
        required=False,
        max_length=128,
        widget=UnfoldAdminTextInputWidget,
        help_text="Empty = x-api-key, for a header.",
    )
    compress_from = forms.IntegerField(
        label="Compress answers from (bytes)",
        required=False,
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="0 = all of them. Empty = none.",
    )

    def settings(self) -> dict[str, Any]:
        """Return what `change_document_settings` takes."""
        data = self.cleaned_data
        named = {"name": data["name"]} if data["name"] else {}
        return {
            "key_source": {"place": data["place"]} | named,
            "compress_from": data["compress_from"],
        }

    @staticmethod
    def field_at(path: str) -> str:
        return path.removeprefix("key_source.")


def keys_initial(root: Root) -> dict[str, Any]:
    """Return what the form shows of a document."""
    return (root.key_source or {"place": "header", "name": ""}) | {"compress_from": root.compress_from}


class ResponseForm(forms.Form):
    """How refusals of one type look. What stays empty is as it is built in."""

    status = forms.IntegerField(
        required=False, min_value=200, max_value=599, widget=UnfoldAdminIntegerFieldWidget
    )
    headers = lines(
        "Headers",
        "Name: value, one on each line. A value is 'a text' in single quotes, context.requestId, "
        "method.request.header.Origin or stageVariables.name.",
    )
    media_type = forms.CharField(
        label="Media type of the body", initial=JSON, max_length=120, widget=UnfoldAdminTextInputWidget
    )
    template = forms.CharField(
        label="Body",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        help_text='Such as {"message": $context.error.messageString}.',
    )

    def response(self, before: dict[str, Any]) -> dict[str, Any]:
        """Return the gateway response; bodies of other media types stay as they were."""
        data = self.cleaned_data
        templates = dict(before.get("templates", {}))
        templates.pop(data["media_type"], None)
        if data["template"].strip():
            templates[data["media_type"]] = data["template"].replace("\r\n", "\n")
        found = {"status": data["status"], "headers": data["headers"], "templates": templates}
        return {name: value for name, value in found.items() if value}

    def clean_headers(self) -> dict[str, str]:
        found = {}
        for line in self.cleaned_data["headers"].splitlines():
            if not line.strip():
                continue
            named = re.fullmatch(r"\s*([^:\s]+)\s*:\s*(.+?)\s*", line)
            if named is None:
                raise forms.ValidationError(f"Write Name: value, not {line.strip()[:60]!r}.")
            found[named[1]] = named[2]
        return found

    @staticmethod
    def field_at(path: str) -> str | None:
        parts = path.split(".")
        return {"templates": "template"}.get(parts[2], parts[2]) if len(parts) > 2 else None


def response_initial(response: dict[str, Any]) -> dict[str, Any]:
    """Return what the form shows of a gateway response."""
    templates = response.get("templates", {})
    media = JSON if JSON in templates or not templates else next(iter(templates))
    return {
        "status": response.get("status"),
        "headers": "\n".join(f"{name}: {value}" for name, value in response.get("headers", {}).items()),
        "media_type": media,
        "template": templates.get(media, ""),
    }
