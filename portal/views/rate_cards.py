"""A provider's rate cards: the list, and one with its versions, prices and a calculator."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from accounts.errors import Refused
from accounts.models import Organization
from billing.models import RateCard, RateCardVersion
from portal import provider_scope, rate_cards
from portal.forms.calculator import CalculatorForm


@login_required
def listing(request: HttpRequest) -> HttpResponse:
    organization = provider_scope.chosen(request)
    provider_scope.demand(provider_scope.sees_bills(request, organization))
    cards = list(rate_cards.cards_of(organization))
    priced = {each.plan_id for card in cards for each in card.plans.all()}
    context = provider_scope.context(request, organization, "prices") | {
        "cards": cards,
        "free_plans": organization.usage_plans.exclude(visibility="archived").exclude(pk__in=priced),
    }
    return render(request, "provider/rate_cards.html", context)


@login_required
def detail(request: HttpRequest, pk: str) -> HttpResponse:
    """One card. `?version=` chooses a version, `units-…` and `subscriptions` are calculated; `fragment` = only that."""
    organization, card = _card(request, pk)
    version = rate_cards.chosen_version(card, request.GET.get("version", ""))
    form = CalculatorForm(request.GET, meters=rate_cards.meters_of(version))
    calculated = {"form": form, "quote": _quote(form, card, version)}
    if request.GET.get("fragment") == "1":
        return render(request, "provider/quote.html", calculated)
    return render(
        request, "provider/rate_card.html", _context(request, organization, card, version) | calculated
    )


def _card(request: HttpRequest, pk: str) -> tuple[Organization, RateCard]:
    """A card of the chosen provider, for those who see its bills; or of an API whose prices she was given to see."""
    for card in rate_cards.cards_for(provider_scope.granted(request)):
        if card.pk == pk:
            return card.organization, card
    organization = provider_scope.chosen(request)
    provider_scope.demand(provider_scope.sees_bills(request, organization))
    return organization, get_object_or_404(rate_cards.cards_of(organization), pk=pk)


def _context(
    request: HttpRequest, organization: Organization, card: RateCard, version: RateCardVersion
) -> dict[str, object]:
    versions = [(each, rate_cards.state_of(card, each)) for each in reversed(card.versions.all())]
    return provider_scope.context(request, organization, "prices") | {
        "card": card,
        "version": version,
        "state": rate_cards.state_of(card, version),
        "versions": versions,
        "priced": rate_cards.priced(card, version),
        "granted_only": organization not in provider_scope.choices(request),
        "may_change": request.user.is_staff and request.user.has_perm("billing.change_ratecard"),
    }


def _quote(form: CalculatorForm, card: RateCard, version: RateCardVersion) -> rate_cards.Quote | None:
    """None = nothing to calculate yet, or the form says what is wrong."""
    if not form.asked or not form.is_valid():
        return None
    try:
        return rate_cards.quote_of(card, version, form.quantities(), form.subscriptions())
    except Refused as refused:
        form.add_error(None, refused.message)
        return None
