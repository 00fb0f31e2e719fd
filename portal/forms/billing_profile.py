"""What invoices print of an organization."""

from typing import Any

from django import forms

from billing.countries import countries
from billing.logos import MAX_BYTES, data_uri
from billing.models import BillingProfile
from portal.refusals import refusals_to


class BillingProfileForm(forms.Form):
    legal_name = forms.CharField(
        label="Legal name",
        max_length=200,
        required=False,
        help_text="As registered. Empty: the organization's name.",
    )
    address = forms.CharField(
        label="Address",
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 3, "autocomplete": "street-address"}),
        help_text="Street, postal code and town, as on an envelope.",
    )
    country = forms.ChoiceField(label="Country", required=False)
    region = forms.CharField(
        label="State or province",
        max_length=50,
        required=False,
        help_text="Where taxes depend on it, such as CA.",
    )
    tax_ids = forms.CharField(
        label="Tax ids",
        max_length=500,
        required=False,
        widget=forms.Textarea({"rows": 2}),
        help_text="One for each line, such as VAT ID: DE123456789.",
    )
    payment_instructions = forms.CharField(
        label="How to pay you",
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 3}),
        help_text="For those who sell: bank and account number, as your invoices print them.",
    )
    logo = forms.FileField(
        label="Logo",
        required=False,
        widget=forms.FileInput({"accept": "image/png,image/jpeg"}),
        help_text="For your invoices: a PNG or JPEG picture of at most 100 KiB.",
    )
    no_logo = forms.BooleanField(label="Remove the logo", required=False)

    def __init__(self, *args: Any, profile: BillingProfile, **kwargs: Any) -> None:
        texts = ("legal_name", "address", "country", "region", "payment_instructions")
        kwargs["initial"] = {name: getattr(profile, name) for name in texts}
        kwargs["initial"]["tax_ids"] = "\n".join(
            f"{each['kind']}: {each['value']}" for each in profile.tax_ids
        )
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = [("", "Not given"), *countries().items()]  # type: ignore[attr-defined]
        if not profile.logo:
            del self.fields["no_logo"]

    def clean_tax_ids(self) -> list[dict[str, str]]:
        found = []
        for line in self.cleaned_data["tax_ids"].splitlines():
            kind, colon, value = line.partition(":")
            if line.strip() and not colon:
                raise forms.ValidationError(
                    "Write the kind of the tax id before it, such as VAT ID: DE123456789."
                )
            if line.strip():
                found.append({"kind": kind.strip(), "value": value.strip()})
        return found

    def clean(self) -> dict[str, Any] | None:
        upload = self.cleaned_data.get("logo")
        if upload:
            with refusals_to(self):
                # what is too large is refused unread
                self.cleaned_data["logo"] = data_uri(upload.read(MAX_BYTES + 1))
        return self.cleaned_data

    def profile_fields(self) -> dict[str, Any]:
        """The fields of the profile as the verb takes them; without an upload the logo stays, unless removed."""
        found = dict(self.cleaned_data)
        removed = found.pop("no_logo", False)
        if not found["logo"]:
            del found["logo"]
            if removed:
                found["logo"] = ""
        return found
