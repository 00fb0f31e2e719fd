"""Which APIs a limited member sees, and what she may do with each."""

from typing import Any

from django import forms

from accounts.models import Member
from apis.grants import Given
from apis.models import Api

LEVELS = [("", "Not shown"), ("see", "See"), ("manage", "See and manage")]


class GrantsForm(forms.Form):
    """For each API of the organization a level, and whether its prices are seen."""

    def __init__(self, *args: Any, member: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        given = {each.api_id: each for each in member.api_grants.all()}
        self._apis: dict[str, Api] = {each.pk: each for each in member.organization.apis.all()}
        for pk, api in self._apis.items():
            grant = given.get(pk)
            level = "" if grant is None else "manage" if grant.manage else "see"
            self.fields[f"level-{pk}"] = forms.ChoiceField(
                label=f"{api.name}", choices=LEVELS, initial=level, required=False
            )
            self.fields[f"money-{pk}"] = forms.BooleanField(
                label=f"See the prices of {api.name}",
                initial=bool(grant and grant.money),
                required=False,
            )

    def rows(self) -> list[tuple[Api, Any, Any]]:
        """API, its level and its prices, for the table."""
        return [(api, self[f"level-{pk}"], self[f"money-{pk}"]) for pk, api in self._apis.items()]

    def values(self) -> dict[Api, Given]:
        """Return what the verb takes."""
        data = self.cleaned_data
        return {
            api: Given(manage=data[f"level-{pk}"] == "manage", money=data[f"money-{pk}"])
            for pk, api in self._apis.items()
            if data[f"level-{pk}"]
        }
