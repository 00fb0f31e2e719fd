"""As whom one of the staff wants to see the site, and why."""

from typing import Any

from django import forms

from accounts.helping.sessions import may_be_looked_at
from accounts.models import Organization, User
from accounts.queries import members_of
from accounts.texts import LONGEST_REASON


class HelpForm(forms.Form):
    person = forms.ChoiceField(label="See it as")
    reason = forms.CharField(
        label="Reason",
        max_length=LONGEST_REASON,
        help_text="It stands in the customer's audit trail, such as the number of a support case.",
    )

    def __init__(self, *args: Any, organization: Organization, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = [each for each in members_of(organization) if may_be_looked_at(each.user)]
        self._people: dict[str, User] = {str(each.user_id): each.user for each in members}
        choices = [(str(each.user_id), f"{each.user.email} ({each.get_role_display()})") for each in members]
        self.fields["person"].choices = choices  # type: ignore[attr-defined]

    def chosen(self) -> User:
        """Who was chosen."""
        return self._people[self.cleaned_data["person"]]
