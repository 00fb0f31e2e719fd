"""What readers see of an API."""

from typing import Any

from django import forms

from apis.models import Api, Visibility


class ApiForm(forms.Form):
    name = forms.CharField(label="Name", max_length=120)
    summary = forms.CharField(
        label="Summary", max_length=200, required=False, help_text="One line, shown in the catalogue."
    )
    description = forms.CharField(
        label="Overview",
        required=False,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="Markdown.",
    )
    category = forms.CharField(
        label="Category", max_length=60, required=False, help_text="One shelf of the catalogue."
    )
    tags = forms.CharField(
        label="Tags", max_length=600, required=False, help_text="Up to 12, separated by commas."
    )
    visibility = forms.ChoiceField(label="Who sees it", choices=Visibility.choices)

    def clean_tags(self) -> list[str]:
        return [each.strip() for each in self.cleaned_data["tags"].split(",") if each.strip()]


def details_of(api: Api) -> dict[str, Any]:
    """What the form begins with."""
    known = {name: getattr(api, name) for name in ApiForm.base_fields}
    return known | {"tags": ", ".join(api.tags)}
