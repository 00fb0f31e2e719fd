"""A reason that a developer will read: of a refusal, or a suspension."""

from django import forms

from accounts.texts import LONGEST_REASON


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Reason",
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="The developer reads it in a mail and in the audit trail.",
    )
