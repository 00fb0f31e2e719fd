"""Webhooks: where to, and what of."""

from datetime import timedelta

from django import forms

from accounts.webhooks.catalogue import EVENT_TYPES


class WebhookForm(forms.Form):
    url = forms.CharField(
        label="URL", max_length=500, help_text="Where events are sent, such as https://example.com/hooks."
    )
    description = forms.CharField(label="Description", max_length=120, required=False)
    event_types = forms.MultipleChoiceField(
        label="Events",
        required=False,
        choices=[(each.name, each.name) for each in EVENT_TYPES.values()],
        widget=forms.CheckboxSelectMultiple,
        help_text="Choose none for all of them, also of those to come.",
    )


class WebhookEditForm(WebhookForm):
    enabled = forms.BooleanField(
        label="Switched on", required=False, help_text="What waited is sent when it is switched on again."
    )


class RotateForm(forms.Form):
    hours = forms.TypedChoiceField(
        label="The old secret signs, too, for",
        coerce=int,
        choices=[(24, "a day"), (1, "an hour"), (168, "7 days"), (0, "no time: it is known to others")],
    )

    def overlap(self) -> timedelta:
        return timedelta(hours=self.cleaned_data["hours"])
