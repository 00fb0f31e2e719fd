"""Alerts on a provider's traffic."""

from typing import Any

from django import forms

from accounts.models import Organization
from apis.models import Stage
from metering.alerts import CHANGEABLE, LONGEST
from metering.models import AlertMetric, AlertScope, UsageAlert


class AlertForm(forms.Form):
    name = forms.CharField(label="Name", max_length=80)
    about = forms.ChoiceField(label="Traffic of", required=False)
    metric = forms.ChoiceField(label="Metric", choices=AlertMetric.choices)
    below = forms.ChoiceField(
        label="Tell when it is", choices=[("", "above"), ("1", "below")], required=False
    )
    threshold = forms.DecimalField(label="Threshold", min_value=0, max_digits=18, decimal_places=3)
    minutes = forms.IntegerField(label="For minutes in a row", min_value=1, max_value=LONGEST, initial=5)
    mails = forms.BooleanField(label="Send mail", required=False, initial=True)

    def __init__(
        self,
        *args: Any,
        organization: Organization,
        alert: UsageAlert | None = None,
        about: str = "",
        **kwargs: Any,
    ) -> None:
        """`about` = `kind:id` of something that the lists do not hold, such as an operation or a key."""
        if alert is not None:
            kwargs["initial"] = {name: getattr(alert, name) for name in CHANGEABLE}
            kwargs["initial"]["below"] = "1" if alert.below else ""
        super().__init__(*args, **kwargs)
        if alert is not None:
            del self.fields["about"]  # it stays
            return
        self.fields["about"].choices = _choices(organization, about)  # type: ignore[attr-defined]
        self.fields["about"].initial = about

    def values(self) -> dict[str, Any]:
        """Return what the verbs take."""
        chosen = dict(self.cleaned_data)
        chosen["below"] = bool(chosen["below"])
        if "about" in chosen:
            chosen["scope"], _, chosen["about"] = chosen["about"].partition(":")
        return chosen


def _choices(organization: Organization, about: str) -> list[tuple[str, str]]:
    stages = Stage.objects.filter(organization=organization).select_related("version__api")
    found = [("", "Everything")]
    found += [(f"api:{api.pk}", f"API {api}") for api in organization.apis.all()]
    found += [(f"stage:{stage.pk}", f"Stage {stage}") for stage in stages.defer("version__document")]
    kind, _, pk = about.partition(":")
    if kind in AlertScope.values and pk and about not in dict(found):
        found.append((about, f"{AlertScope(kind).label} {pk[:10]}"))
    return found
