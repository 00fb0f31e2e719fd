"""Forms of a stage's page: its access log, its compression, its canary."""

import re
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apis.models import Deployment, RequestLogging, Stage
from apis.policy.access_log import PRESETS
from apis.policy_forms import lines

OWN = ""


class LogForm(forms.Form):
    """The access log, the compression and the request log of a stage."""

    preset = forms.ChoiceField(
        label="Format",
        required=False,
        choices=[(OWN, "The format below"), *((name, f"{name}, as Amazon has it") for name in PRESETS)],
        widget=UnfoldAdminSelectWidget,
    )
    access_log = forms.CharField(
        label="Own format",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="One line with $context variables, $context.requestId among them. Empty = no access log. "
        "Each node writes a file of its own for the stage, in the folder access of its data.",
    )
    compress_from = forms.IntegerField(
        label="Compress answers from (bytes)",
        required=False,
        min_value=0,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="0 = all of them. Empty = as the version's document says.",
    )
    request_log = forms.ChoiceField(
        label="Request log",
        choices=RequestLogging.choices,
        widget=UnfoldAdminSelectWidget,
        help_text="Which calls the pages of requests may show. A plan may narrow it for its subscriptions.",
    )

    def settings(self) -> dict[str, Any]:
        """Return what `change_stage` takes."""
        data = self.cleaned_data
        chosen = data["preset"]
        log = data["access_log"] if chosen == OWN else PRESETS[chosen]
        return {
            "access_log": log,
            "compress_from": data["compress_from"],
            "request_log": data["request_log"],
        }


class CanaryForm(forms.Form):
    """Another deployment, and its share of the calls."""

    deployment = forms.ModelChoiceField(
        Deployment.objects.none(), widget=UnfoldAdminSelectWidget, empty_label=None
    )
    percent = forms.FloatField(
        label="Percent of the calls",
        min_value=0,
        max_value=100,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text="0 to 100, drawn for each call.",
    )
    variables = lines(
        "Stage variables of the canary", "NAME=value, one on each line; they go before the stage's own."
    )
    use_cache = forms.BooleanField(
        label="Cache the canary's answers, too",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Apart from the stage's own.",
    )

    def __init__(self, *args: Any, stage: Stage, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["deployment"]
        assert isinstance(field, forms.ModelChoiceField)
        rows = stage.version.deployments.select_related("version__api").defer("compiled")
        field.queryset = rows.defer("version__document", "compiled", "document")

    def clean_variables(self) -> dict[str, str]:
        found = {}
        for line in self.cleaned_data["variables"].splitlines():
            if not line.strip():
                continue
            named = re.fullmatch(r"\s*([^=\s]+)\s*=(.*)", line)
            if named is None:
                raise forms.ValidationError(f"Write NAME=value, not {line.strip()[:60]!r}.")
            found[named[1]] = named[2].strip()
        return found


def canary_initial(stage: Stage) -> dict[str, Any]:
    """Return what the form shows of a stage's canary, or of one that is still to start."""
    return {
        "deployment": stage.canary_deployment_id or stage.deployment_id,
        "percent": f"{stage.canary_percent:g}",
        "variables": "\n".join(f"{name}={value}" for name, value in stage.canary_variables.items()),
        "use_cache": stage.canary_use_cache,
    }
