"""Organizations, their members, and tokens."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.timezone import now

from accounts.models import Organization, Role, User


class NewOrganizationForm(forms.Form):
    name = forms.CharField(
        label="Name", max_length=120, help_text="Your company or team; your own name is fine, too."
    )


class OrganizationForm(forms.Form):
    name = forms.CharField(label="Name", max_length=120)
    billing_email = forms.EmailField(label="E-mail address for invoices", required=False)
    timezone = forms.CharField(
        label="Time zone",
        max_length=64,
        help_text="IANA name, such as Europe/Berlin. Months and days follow it.",
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        before = {name: getattr(organization, name) for name in ("name", "billing_email", "timezone")}
        kwargs["initial"] = before
        super().__init__(*args, **kwargs)


class MemberForm(forms.Form):
    """Somebody who has an account already."""

    email = forms.EmailField(label="E-mail address", help_text="She must have signed up already.")
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.MEMBER)

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        # an address counts only once its owner has shown that it is hers
        self.user = User.objects.filter(
            emailaddress__email__iexact=email, emailaddress__verified=True, is_active=True
        ).first()
        if self.user is None:
            raise forms.ValidationError(
                "Nobody with this address has an account here. Ask her to sign up first."
            )
        return email


class RoleForm(forms.Form):
    role = forms.ChoiceField(label="Role", choices=Role.choices)


class BillingParentForm(forms.Form):
    """The organization that shall pay, by its id: names of others are not told."""

    parent_id = forms.CharField(
        label="Id of the organization that shall pay",
        max_length=10,
        help_text="Its owner finds it on its own page, Billing group.",
    )
    parent: Organization | None = None

    def clean_parent_id(self) -> str:
        given: str = self.cleaned_data["parent_id"]
        self.parent = Organization.objects.filter(pk=given.lower()).first()
        if self.parent is None:
            raise forms.ValidationError("There is no organization with this id. Ask its owner for it.")
        return given


class TokenForm(forms.Form):
    name = forms.CharField(label="Name", max_length=80, help_text="What will use it, such as Deploy script.")
    read_only = forms.BooleanField(
        label="Read only", required=False, help_text="It can look, but change nothing."
    )
    expires = forms.TypedChoiceField(
        label="Expires",
        coerce=int,
        choices=[(30, "In 30 days"), (90, "In 90 days"), (365, "In a year"), (0, "Never")],
        initial=90,
    )

    def expires_at(self) -> datetime | None:
        days = self.cleaned_data["expires"]
        return now() + timedelta(days=days) if days else None
