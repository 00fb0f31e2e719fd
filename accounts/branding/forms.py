"""The website's look as a form, for the admin console and the pages of the staff."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget, UnfoldBooleanSwitchWidget

from accounts.branding.models import Branding

PLAIN = ("name", "accent_light", "accent_dark", "footer_links", "address")


class BrandingForm(forms.ModelForm):
    """The logo as a file, the footer's links as lines."""

    logo_file = forms.FileField(
        label="Logo",
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="PNG, JPEG, WebP or SVG of at most 200 kB, shown 28 pixels high on light and dark pages.",
    )
    remove_logo = forms.BooleanField(
        required=False, widget=UnfoldBooleanSwitchWidget, help_text="Show Gatehouse's own again."
    )
    links = forms.CharField(
        label="Links in the footer",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text="One a line: label | address, such as Status | https://status.example.com.",
    )

    class Meta:
        model = Branding
        fields = ("name", "accent_light", "accent_dark", "address")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = self.instance.footer_links or []
        self.initial["links"] = "\n".join(f"{each['label']} | {each['url']}" for each in rows)


def settings_of(data: dict[str, Any]) -> dict[str, Any]:
    """The verb's fields of what the form changed."""
    found: dict[str, Any] = {name: data[name] for name in PLAIN if name in data}
    if "links" in data:
        lines = [line.partition("|") for line in data["links"].splitlines() if line.strip()]
        found["footer_links"] = [{"label": label, "url": url} for label, _, url in lines]
    if data.get("logo_file"):
        found["logo"] = data["logo_file"].read()
    elif data.get("remove_logo"):
        found["logo"] = b""
    return found
