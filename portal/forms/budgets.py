"""Budgets, and when to tell of quotas."""

from collections.abc import Iterable
from typing import Any

from django import forms

from access.models import Subscription
from accounts.errors import Refused
from accounts.percents import usual_percents
from billing.budgets import read_amount
from billing.currencies import DECIMALS, DEFAULT_CURRENCY
from billing.models import Budget
from billing.pricing import plain

EVERYTHING = ""
GROUP = "group"


def percents_text(percents: Iterable[int]) -> str:
    return ", ".join(str(each) for each in percents)


class PercentsField(forms.CharField):
    """`50, 80, 100`; nothing = none."""

    def __init__(self, **kwargs: Any) -> None:
        defaults: dict[str, Any] = {"label": "Tell at percent", "required": False, "max_length": 80}
        super().__init__(**(defaults | kwargs))

    def clean(self, value: Any) -> list[int]:
        text = super().clean(value).replace("%", " ").replace(",", " ")
        try:
            return [int(each) for each in text.split()]
        except ValueError as error:
            raise forms.ValidationError("Write whole percents, such as 50, 80, 100.") from error


class BudgetForm(forms.Form):
    name = forms.CharField(label="Name", max_length=80)
    scope = forms.ChoiceField(label="Costs of", required=False)
    amount = forms.CharField(label="Amount a month", max_length=30, help_text="Such as 100 or 99.50.")
    currency = forms.ChoiceField(
        label="Currency",
        choices=[(code, code) for code in sorted(DECIMALS)],
        help_text="Costs in other currencies are not counted.",
    )
    percents = PercentsField(help_text="Each once a month.", initial=percents_text(usual_percents()))
    mails = forms.BooleanField(label="Send mail", required=False, initial=True)
    stops = forms.BooleanField(
        label="Refuse calls once the amount is reached (spend cap)",
        required=False,
        help_text="They are let in again when the month is over, or when you raise the amount.",
    )

    def __init__(
        self,
        *args: Any,
        subscriptions: Iterable[Subscription] = (),
        currency: str = DEFAULT_CURRENCY,
        budget: Budget | None = None,
        members: int = 0,
        **kwargs: Any,
    ) -> None:
        """`members`: how many organizations it pays for beside its own bills; then their costs can be counted along."""
        start = {"currency": currency, "scope": GROUP if members else EVERYTHING}
        kwargs["initial"] = start if budget is None else _initial(budget)
        super().__init__(*args, **kwargs)
        self.things: dict[str, dict[str, Any]] = {EVERYTHING: {}}
        if budget is not None:
            del self.fields["scope"]  # it stays
            return
        choices = [(EVERYTHING, "Everything")]
        if members:
            others = f"{members} other organization{'' if members == 1 else 's'}"
            self.things[GROUP] = {"whole_group": True}
            choices = [
                (GROUP, f"The whole billing group: our own and {others}"),
                (EVERYTHING, "Everything of our own"),
            ]
            self.fields["scope"].help_text = "A spend cap of the group refuses the calls of all its members."
        for each in subscriptions:
            pairs = ((each.application, str(each.application)), (each, str(each)))
            for kind, (thing, label) in zip(("application", "subscription"), pairs, strict=True):
                key = f"{kind}:{thing.pk}"
                if key not in self.things:
                    self.things[key] = {kind: thing}
                    choices.append((key, f"{kind.capitalize()} {label}"))
        self.fields["scope"].choices = choices  # type: ignore[attr-defined]

    def clean_amount(self) -> Any:
        try:
            return read_amount(self.cleaned_data["amount"].replace(",", ""))
        except Refused as refused:
            raise forms.ValidationError(refused.message) from refused

    def values(self) -> dict[str, Any]:
        """Return what the verbs take."""
        chosen = dict(self.cleaned_data)
        return self.things[chosen.pop("scope", EVERYTHING)] | chosen


def _initial(budget: Budget) -> dict[str, Any]:
    told = {name: getattr(budget, name) for name in ("name", "currency", "mails", "stops")}
    return told | {"amount": plain(budget.amount), "percents": percents_text(budget.percents)}


class QuotaAlertForm(forms.Form):
    percents = PercentsField(help_text="Of each quota, once a period. Nothing = never.")
    mails = forms.BooleanField(label="Send mail", required=False)
