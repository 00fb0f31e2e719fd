"""Finding customers, and a provider's terms with one of them."""

from collections.abc import Iterable
from typing import Any

from django import forms

from access.models import UsagePlan
from portal.customers import STANDINGS, STATES


class CustomerFilters(forms.Form):
    """What a list of customers is narrowed by; all may be empty, and what makes no sense counts as empty."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=100,
        help_text="Name, id, mail or key",
    )
    plan = forms.ChoiceField(label="Plan", required=False)
    state = forms.ChoiceField(label="Subscription", required=False, choices=[("", "In any state"), *STATES])
    standing = forms.ChoiceField(label="Standing", required=False, choices=[("", "Any"), *STANDINGS.items()])

    def __init__(self, data: Any, *, plans: Iterable[UsagePlan]) -> None:
        super().__init__(data)
        choices = [("", "Any plan"), *((each.pk, each.name) for each in plans)]
        self.fields["plan"].choices = choices  # type: ignore[attr-defined]

    def values(self) -> dict[str, str]:
        """Return what is asked for, without what is not valid."""
        self.is_valid()
        return {name: self.cleaned_data.get(name, "") for name in self.fields}
