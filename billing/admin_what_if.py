"""The page "What if" of a rate card: a month replayed with other prices."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import now
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.errors import Refused
from billing.models import RateCard
from billing.periods import month_of, parse_month
from billing.simulate import Simulation, simulate

# months to choose from, the newest first
_MONTHS = 13


class WhatIfForm(forms.Form):
    """Which month, and whose prices: `version:2`, or `card:` and an id."""

    month = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    prices = forms.ChoiceField(widget=UnfoldAdminSelectWidget, label="Prices to try")

    def __init__(self, card: RateCard, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.card = card
        period, months = month_of(now(), card.organization.timezone), []
        for _ in range(_MONTHS):
            months.append((period.key, period.label))
            period = period.previous()
        versions = [
            (f"version:{v.number}", f"Version {v.number}, from {v.effective_from:%Y-%m-%d %H:%M} UTC")
            for v in reversed(card.versions.all())
        ]
        others = RateCard.objects.filter(organization=card.organization, currency=card.currency)
        cards = [(f"card:{each.pk}", each.name) for each in others.exclude(pk=card.pk)]
        self.fields["month"].choices = months  # type: ignore[attr-defined]
        self.fields["month"].initial = months[1][0]
        self.fields["prices"].choices = [("This rate card", versions), ("Another one", cards)]  # type: ignore[attr-defined]

    def run(self) -> Simulation:
        """Replay the month. Refused as `simulate` says."""
        kind, _, name = self.cleaned_data["prices"].partition(":")
        period = parse_month(self.cleaned_data["month"], self.card.organization.timezone)
        if kind == "card":
            return simulate(rate_card=self.card, instead=RateCard.objects.get(pk=name), period=period)
        return simulate(rate_card=self.card, version=self.card.versions.get(number=name), period=period)


class WhatIf:
    """Adds the page to the rate cards' admin."""

    @action(description="What if", icon="compare_arrows", permissions=["change"])
    def what_if(self, request: HttpRequest, object_id: str) -> HttpResponse:
        card = RateCard.objects.select_related("organization").prefetch_related("versions").get(pk=object_id)
        form = WhatIfForm(card, request.GET if "prices" in request.GET else None)
        context: dict[str, Any] = {"title": f"What if: {card.name}", "card": card, "form": form}
        if form.is_bound and form.is_valid():
            try:
                context["simulation"] = form.run()
            except Refused as refused:
                form.add_error(None, refused.message)
        site = self.admin_site.each_context(request)  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/billing/what_if.html", site | context)
