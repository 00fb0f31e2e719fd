"""Products, their pages, and who is invited."""

from typing import Any

from django import forms

from accounts.models import Organization
from apis.catalogue_models import MOST_TEXT
from apis.models import Visibility


class ProductForm(forms.Form):
    title = forms.CharField(label="Title", max_length=120)
    slug = forms.SlugField(
        label="Address",
        max_length=60,
        required=False,
        help_text="The last part of /products/…/; made from the title if empty.",
    )
    summary = forms.CharField(
        label="Summary", max_length=200, required=False, help_text="One line, shown in the catalogue."
    )
    text = forms.CharField(
        label="Overview",
        max_length=MOST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 10}),
        help_text="Markdown.",
    )
    visibility = forms.ChoiceField(label="Who sees it", choices=Visibility.choices)
    published = forms.BooleanField(
        label="Published", required=False, help_text="Off = only your organization sees it, as a preview."
    )


class PageForm(forms.Form):
    title = forms.CharField(label="Title", max_length=255)
    slug = forms.SlugField(
        label="Address", max_length=60, required=False, help_text="Made from the title if empty."
    )
    text = forms.CharField(
        label="Text",
        max_length=MOST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 16}),
        help_text="Markdown.",
    )
    position = forms.IntegerField(
        label="Position", min_value=0, max_value=10_000, initial=0, help_text="Smaller ones come first."
    )
    published = forms.BooleanField(
        label="Published", required=False, initial=True, help_text="Off = readers do not see it."
    )


class InvitationForm(forms.Form):
    email = forms.EmailField(
        label="E-mail address", required=False, help_text="Of a person; she need not have an account yet."
    )
    organization = forms.CharField(
        label="Or the id of an organization",
        max_length=10,
        required=False,
        help_text="All its members see it. Its people find the id on their page Organization.",
    )

    def values(self) -> dict[str, Any]:
        """What the verb takes."""
        return {"email": self.cleaned_data["email"], "invited": self.invited}

    invited: Organization | None = None

    def clean_organization(self) -> str:
        given: str = self.cleaned_data["organization"]
        if given:
            self.invited = Organization.objects.filter(pk=given.lower()).first()
            if self.invited is None:
                raise forms.ValidationError("There is no organization with this id. Ask its people for it.")
        return given
