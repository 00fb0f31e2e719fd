"""Budgets and caps that developers set: staff see where they stand."""

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from accounts.read_only_admin import ReadOnly
from billing.alerts import shown
from billing.models import Budget


@admin.register(Budget)
class BudgetAdmin(ReadOnly):
    list_display = (
        "name",
        "organization",
        "scope",
        "period",
        "shown_spent",
        "shown_amount",
        "stops",
        "spent_at",
    )
    list_filter = (("organization", AutocompleteSelectFilter), "stops", "currency")
    list_filter_submit = True
    list_select_related = ("organization",)
    search_fields = ("name", "organization__name")

    @display(description="Spent")
    def shown_spent(self, budget: Budget) -> str:
        return f"{shown(budget.spent, budget.currency)} {budget.currency}"

    @display(description="Amount", ordering="amount")
    def shown_amount(self, budget: Budget) -> str:
        return f"{shown(budget.amount, budget.currency)} {budget.currency}"
