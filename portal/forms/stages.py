"""Deploying, canaries, stage settings, the end of a version."""

import re
from typing import Any

from django import forms

from apis.models import LIVE, RequestLogging, Stage
from apis.stage_forms import CanaryForm as AdminCanaryForm
from portal.forms.plain import PlainWidgets


class DeployForm(forms.Form):
    """Where to, and whether what breaks callers is meant."""

    stage = forms.CharField(label="Stage", initial=LIVE, max_length=128, widget=forms.HiddenInput)
    note = forms.CharField(
        label="Note", required=False, max_length=200, help_text="Why, for whoever looks back."
    )
    breaks = forms.BooleanField(label="Callers' calls may fail, and that is meant", required=False)

    def __init__(self, *args: Any, breaking: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.breaking = breaking
        if not breaking:
            del self.fields["breaks"]

    def clean_breaks(self) -> bool:
        if self.breaking and not self.cleaned_data["breaks"]:
            raise forms.ValidationError(
                "Say that it is meant, or publish the changes as a new version instead."
            )
        return bool(self.cleaned_data["breaks"])


class SunsetForm(forms.Form):
    """When a deprecated version may end."""

    sunset_at = forms.DateTimeField(
        label="Ends at (UTC)",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="Developers see it. Empty: not decided yet.",
    )


class CanaryForm(PlainWidgets, AdminCanaryForm):
    """Another deployment, and its share of the calls."""


def _assignments(text: str) -> dict[str, str]:
    found = {}
    for line in text.splitlines():
        if line.strip():
            named = re.fullmatch(r"\s*([^=\s]+)\s*=(.*)", line)
            if named is None:
                raise forms.ValidationError(f"Write NAME=value, not {line.strip()[:60]!r}.")
            found[named[1]] = named[2].strip()
    return found


class StageForm(forms.Form):
    """What a stage has besides its policies."""

    throttle_rate = forms.FloatField(
        label="Calls a second, over all callers", required=False, min_value=0, help_text="Empty: no limit."
    )
    throttle_burst = forms.IntegerField(label="Calls at once", required=False, min_value=0)
    variables = forms.CharField(
        label="Stage variables",
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="NAME=value, one on each line: what ${stageVariables.NAME} means on this stage.",
    )
    compress_from = forms.IntegerField(
        label="Compress answers from (bytes)",
        required=False,
        min_value=0,
        help_text="0: all of them. Empty: as the document says.",
    )
    access_log = forms.CharField(
        label="Access log",
        required=False,
        help_text="One line with $context variables, $context.requestId among them. Empty: none.",
    )
    request_log = forms.ChoiceField(
        label="Request log",
        choices=RequestLogging.choices,
        help_text="Which calls the pages of requests may show. Usage and bills count every call, whatever is "
        "chosen. A plan may narrow it for its subscriptions.",
    )

    def clean_variables(self) -> dict[str, str]:
        return _assignments(self.cleaned_data["variables"])


def stage_initial(stage: Stage) -> dict[str, Any]:
    """Return what the form shows of a stage."""
    return {
        "throttle_rate": stage.throttle_rate,
        "throttle_burst": stage.throttle_burst,
        "compress_from": stage.compress_from,
        "access_log": stage.access_log,
        "request_log": stage.request_log,
        "variables": "\n".join(f"{name}={value}" for name, value in stage.variables.items()),
    }
