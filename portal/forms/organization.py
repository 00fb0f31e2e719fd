"""Organizations, their members, and tokens."""

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.utils.timezone import now

from accounts.models import Member, Organization, Role


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


class InvitationForm(forms.Form):
    """Somebody who becomes a member by accepting; she needs no account yet."""

    email = forms.EmailField(label="E-mail address", help_text="We send a link that works for a week.")
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.MEMBER)

    def __init__(self, *args: Any, may_make_owners: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_make_owners:
            self.fields["role"].widget.choices = [each for each in Role.choices if each[0] != Role.OWNER]


class TransferForm(forms.Form):
    """To whom an organization is offered."""

    member = forms.ModelChoiceField(
        Member.objects.none(), label="New owner", empty_label="Choose a member", to_field_name="pk"
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = organization.members.select_related("user").exclude(role=Role.OWNER)
        field = cast(forms.ModelChoiceField, self.fields["member"])
        field.queryset = members.filter(user__is_active=True)
        # what the list shows of each
        field.label_from_instance = lambda obj: f"{obj.user} ({obj.get_role_display()})"  # type: ignore[method-assign]


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


class CloseForm(forms.Form):
    """The name, typed: so that no slip closes an organization."""

    name = forms.CharField(
        label="Its name, to confirm", max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
