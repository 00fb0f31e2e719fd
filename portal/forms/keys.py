"""Making and rotating keys."""

from datetime import datetime, timedelta

from django import forms
from django.utils.timezone import now

from access.forms import LinesField
from access.models import KeyEnvironment


class PlaceFields(forms.Form):
    """Where a key may be used from. The verb checks the texts."""

    ips = LinesField(
        label="Only from these networks",
        help_text="One a line, such as 203.0.113.0/24 or 203.0.113.7. Empty: from anywhere.",
    )
    referrers = LinesField(
        label="Only for pages of these hosts",
        help_text="One a line, such as app.example.com or *.example.com. For keys in web pages; a program can "
        "claim any page. Empty: no rule.",
    )


class KeyForm(PlaceFields):
    name = forms.CharField(
        label="Name", max_length=80, help_text="Where it will be used, such as Production server."
    )
    environment = forms.ChoiceField(
        label="Environment",
        choices=KeyEnvironment.choices,
        help_text="A word in the key itself, to tell keys apart. Both call the same API and count alike.",
    )
    expires = forms.TypedChoiceField(
        label="Expires",
        coerce=int,
        choices=[(0, "Never"), (30, "In 30 days"), (90, "In 90 days"), (365, "In a year")],
    )

    field_order = ("name", "environment", "expires")

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["expires"]
        return now() + timedelta(days=days) if days else None


class KeyEditForm(PlaceFields):
    """What may be changed of a key. Moments are in the organization's time zone."""

    name = forms.CharField(label="Name", max_length=80)
    not_before = forms.DateTimeField(
        label="Valid from", required=False, help_text="Such as 2027-01-31 09:00. Empty: at once."
    )
    expires_at = forms.DateTimeField(
        label="Expires", required=False, help_text="Such as 2027-12-31 18:00. Empty: never."
    )

    field_order = ("name", "not_before", "expires_at")


class RotateForm(forms.Form):
    grace = forms.TypedChoiceField(
        label="The old key works for another",
        coerce=int,
        choices=[(0, "0 minutes: it ends now"), (3600, "1 hour"), (86_400, "1 day"), (7 * 86_400, "7 days")],
        initial=86_400,
    )

    def grace_time(self) -> timedelta:
        return timedelta(seconds=self.cleaned_data["grace"])
