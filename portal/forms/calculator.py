"""How much of each meter, for the calculator of a rate card."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms

from billing.pricing import ZERO

MOST_SUBSCRIPTIONS = 1_000_000
_PREFIX = "units-"


class CalculatorForm(forms.Form):
    """A month's units by meter (`units-requests`), and how many subscriptions share the bill."""

    def __init__(self, data: Any, *, meters: Mapping[str, str]) -> None:
        """`meters` is meter -> label."""
        super().__init__(data, auto_id="calculator-%s")
        for meter, label in meters.items():
            self.fields[_PREFIX + meter] = forms.DecimalField(
                label=label, required=False, min_value=0, max_digits=24, decimal_places=6
            )
        self.fields["subscriptions"] = forms.IntegerField(
            label="Subscriptions", required=False, min_value=1, max_value=MOST_SUBSCRIPTIONS
        )

    def quantities(self) -> dict[str, Decimal]:
        """Return meter -> units, those that are given."""
        given = {name: self.cleaned_data.get(name) for name in self.fields if name.startswith(_PREFIX)}
        return {
            name.removeprefix(_PREFIX): units for name, units in given.items() if units not in (None, ZERO)
        }

    def subscriptions(self) -> int:
        """Return how many, one if she says nothing."""
        return self.cleaned_data.get("subscriptions") or 1

    @property
    def asked(self) -> bool:
        """Whether anything was typed."""
        return any(name in self.data for name in self.fields)
