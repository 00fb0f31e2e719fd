"""Changing a subscription's plan, and ending it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms

from access.models import UsagePlan
from access.periods import When
from portal import formats


class ChangePlanForm(forms.Form):
    """One of the plans, now or when the month ends. The page draws the plans itself."""

    plan = forms.ChoiceField(
        widget=forms.RadioSelect, error_messages={"required": "Choose one of the plans."}
    )
    at = forms.ChoiceField(label="When", initial=When.NOW)

    def __init__(self, *args: Any, plans: Sequence[UsagePlan], month_ends: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plans = {each.pk: each for each in plans}
        _choices(self, "plan", [(each.pk, each.name) for each in plans])
        end = f"When the month ends, {formats.moment(month_ends)}"
        _choices(self, "at", [(When.NOW.value, "At once"), (When.PERIOD_END.value, end)])

    def plan_chosen(self) -> UsagePlan:
        """The plan that she chose."""
        return self.plans[self.cleaned_data["plan"]]


class CancelForm(forms.Form):
    """When a subscription shall end."""

    at = forms.ChoiceField(label="When")

    def __init__(self, *args: Any, month_ends: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        end = f"When the month ends, {formats.moment(month_ends)}"
        _choices(self, "at", [(When.PERIOD_END.value, end), (When.NOW.value, "At once")])


def _choices(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
