"""The website's look and own pages, as its staff fill them in."""

from typing import Any

from django import forms

from accounts.branding.forms import BrandingForm
from portal.forms.plain import PlainWidgets
from portal.forms.products import PageForm


class LookForm(PlainWidgets, BrandingForm):
    """Name, logo, accents, footer, domain."""

    field_order = (
        "name",
        "logo_file",
        "remove_logo",
        "accent_light",
        "accent_dark",
        "links",
        "address",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = {
            "accent_light": "Accent on light pages",
            "accent_dark": "Accent on dark pages",
            "remove_logo": "Show Gatehouse's own logo again",
            "address": "Domain of its own",
        }
        for name, label in labels.items():
            self.fields[name].label = label
        self.fields["remove_logo"].help_text = ""


class SitePageForm(PageForm):
    """A page of the website."""

    in_footer = forms.BooleanField(label="In the footer", required=False, initial=True)
