"""The form of a backend: its servers, when one of them rests, what is tried again."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminIntegerFieldWidget

from accounts.errors import Refused
from apis.models import Backend
from apis.policy.policy import RETRY_ON
from apis.policy_forms import RETRY_NAMES, lines

# the form's field -> the model's field and the part of it
PARTS = {
    "health_failures": ("health", "failures"),
    "health_rest_ms": ("health", "rest_ms"),
    "retries_attempts": ("retries", "attempts"),
    "retries_on": ("retries", "on"),
}


def _number(label: str, help_text: str, low: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, required=False, min_value=low, help_text=help_text, widget=UnfoldAdminIntegerFieldWidget
    )


class BackendForm(forms.ModelForm):
    """A backend with a field for each value."""

    servers = lines(
        "Further servers",
        "One on each line, of the same scheme and path: https://b.example.com, or with a weight: "
        "https://b.example.com 3. Calls are shared out by weight.",
    )
    health_failures = _number("A server rests after (failures in a row)", "Empty = servers never rest.", 1)
    health_rest_ms = _number("It rests for (milliseconds)", "Then it gets one call on trial.", 100)
    retries_attempts = _number(
        "Further tries", "At other servers, for operations whose policies do not speak of retries.", 0
    )
    retries_on = forms.MultipleChoiceField(
        label="After",
        required=False,
        choices=[(name, RETRY_NAMES[name]) for name in RETRY_ON],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = Backend
        fields = ("organization", "name", "url", "weight", "connect_timeout_ms", "timeout_ms")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial = {**self.initial, **shown(self.instance)}
        self.fields["weight"].required = False

    def clean_weight(self) -> int:
        weight = self.cleaned_data["weight"]
        return 1 if weight is None else weight


def shown(backend: Backend) -> dict[str, Any]:
    """Return what the form shows of the fields that are JSON."""
    further = [f"{each['url']} {each['weight']}".removesuffix(" 1") for each in backend.targets]
    values: dict[str, Any] = {"servers": "\n".join(further)}
    return values | {name: (getattr(backend, field) or {}).get(part) for name, (field, part) in PARTS.items()}


def settings_of(data: dict[str, Any], backend: Backend | None = None) -> dict[str, Any]:
    """Return what the verbs take for the form's data; `backend` has the rest when only some were changed."""
    whole: dict[str, Any] = {**(shown(backend) if backend else {}), **data}
    settings = {name: value for name, value in data.items() if name != "servers" and name not in PARTS}
    if "servers" in data:
        settings["targets"] = [_server(line) for line in data["servers"].splitlines() if line.strip()]
    for field in ("health", "retries"):
        names = {name: part for name, (owner, part) in PARTS.items() if owner == field}
        if names.keys() & data.keys():
            given = {part: whole.get(name) for name, part in names.items()}
            found = {part: value for part, value in given.items() if value not in (None, "", [])}
            settings[field] = found if found.keys() - {"on"} else None
    return settings


def _server(line: str) -> dict[str, Any]:
    url, _, weight = line.strip().partition(" ")
    if not weight.strip():
        return {"url": url}
    if not weight.strip().isdigit():
        raise Refused(f"Write a URL and a weight, not {line.strip()[:80]!r}.", field="servers")
    return {"url": url, "weight": int(weight)}


def field_at(path: str) -> str:
    """Return the form's field for a dotted path such as targets.0.url or health.rest_ms."""
    field, _, part = path.partition(".")
    if field == "targets":
        return "servers"
    return next((name for name, place in PARTS.items() if place == (field, part)), field)
