"""An application: what calls the APIs."""

from django import forms


class ApplicationForm(forms.Form):
    name = forms.CharField(label="Name", max_length=80, help_text="What will call the APIs, such as Shop.")
    description = forms.CharField(
        label="Description", max_length=300, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
