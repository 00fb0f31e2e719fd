"""Making and rotating keys."""

from datetime import datetime, timedelta

from django import forms
from django.utils.timezone import now

from access.models import KeyEnvironment


class KeyForm(forms.Form):
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

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["expires"]
        return now() + timedelta(days=days) if days else None


class RotateForm(forms.Form):
    grace = forms.TypedChoiceField(
        label="The old key works for another",
        coerce=int,
        choices=[(0, "0 minutes: it ends now"), (3600, "1 hour"), (86_400, "1 day"), (7 * 86_400, "7 days")],
        initial=86_400,
    )

    def grace_time(self) -> timedelta:
        return timedelta(seconds=self.cleaned_data["grace"])
