"""Picking a plan: for which organization, and for which application."""

from typing import Any

from django import forms

from access.models import Application, UsagePlan
from accounts.models import Organization

NEW = ""


class SubscribeForm(forms.Form):
    """A new application by name, or one of hers."""

    application = forms.ChoiceField(label="Application", required=False)
    application_name = forms.CharField(
        label="Name of the application",
        max_length=80,
        required=False,
        help_text="What will call the API, such as Shop or Nightly report.",
    )

    def __init__(
        self,
        *args: Any,
        organization: Organization,
        plan: UsagePlan,
        applications: list[Application],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.organization = organization
        self.applications = {each.pk: each for each in applications}
        choices = [(each.pk, each.name) for each in applications]
        if choices:
            chooser = self.fields["application"]
            assert isinstance(chooser, forms.ChoiceField)
            chooser.choices = [(NEW, "A new application"), *choices]
            self.fields["application_name"].help_text += " Leave it empty if you chose one of yours."
        else:
            del self.fields["application"]
            self.fields["application_name"].required = True

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if not data.get("application") and not data.get("application_name") and not self.errors:
            self.add_error("application_name", "Give the new application a name.")
        return data

    def chosen_application(self) -> Application | None:
        """The existing application that she chose; None = make a new one."""
        return self.applications.get(self.cleaned_data.get("application") or "")
