"""As whom one of the staff wants to see the site, and why; and whether a customer lets staff make changes."""

from typing import Any

from django import forms

from accounts.helping.consent import SPANS, consent_of
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
        if consent := consent_of(organization):
            self.fields["acts"] = forms.BooleanField(
                label="Make changes, too",
                required=False,
                help_text=f"{organization} allows it until {consent.until:%Y-%m-%d %H:%M} UTC. "
                "Each change stands in its audit trail with your name.",
            )

    def chosen(self) -> User:
        """Who was chosen."""
        return self._people[self.cleaned_data["person"]]


class ConsentForm(forms.Form):
    hours = forms.TypedChoiceField(label="For", coerce=int, choices=list(SPANS.items()), initial=24)
