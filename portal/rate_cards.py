"""A provider's rate cards as its pages show them, and what quantities cost by them."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch, QuerySet
from django.utils.timezone import now

from access.models import PlanVisibility
from accounts.models import Organization
from apis.models import ApiGrant
from billing.meters import BUILT_IN, name_of, order_of, unit_of
from billing.models import PlanPrice, Price, RateCard, RateCardVersion
from billing.quote import BillLine, quote, total_of
from billing.terms import terms_of
from portal import prices


@dataclass(frozen=True, slots=True)
class Priced:
    """One meter of a version: (range, price) lines in words."""

    name: str
    unit: str
    model: str
    package: Decimal | None
    lines: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Quote:
    """What quantities of one month come to, before tax."""

    lines: list[BillLine]
    total: Decimal
    currency: str


def cards_of(organization: Organization) -> QuerySet[RateCard]:
    """The rate cards with versions, prices and the plans that are billed by them. 4 queries when read."""
    plans = PlanPrice.objects.select_related("plan").exclude(plan__visibility=PlanVisibility.ARCHIVED)
    return (
        RateCard.objects.filter(organization=organization)
        .prefetch_related(
            "versions__prices", Prefetch("plans", plans.order_by("plan__position", "plan__name"))
        )
        .order_by("name")
    )


def cards_for(grants: Iterable[ApiGrant]) -> list[RateCard]:
    """The rate cards of plans that open an API whose prices she was given to see."""
    apis = [each.api_id for each in grants if each.money]
    if not apis:
        return []
    cards = RateCard.objects.filter(plans__plan__stages__version__api__in=apis).distinct().order_by("name")
    return list(cards.prefetch_related("versions__prices"))


def chosen_version(card: RateCard, number: str) -> RateCardVersion:
    """The version with this number, else the one in force."""
    return next((each for each in card.versions.all() if str(each.number) == number), card.current)


def state_of(card: RateCard, version: RateCardVersion) -> str:
    """`in force`, `to come` or `past`."""
    if version.effective_from > now():
        return "to come"
    return "in force" if version == card.current else "past"


def priced(card: RateCard, version: RateCardVersion) -> list[Priced]:
    """A version's meters in the order of a bill."""
    rows = sorted(version.prices.all(), key=lambda each: order_of(each.meter))
    return [_priced(each, card.currency) for each in rows]


def meters_of(version: RateCardVersion) -> dict[str, str]:
    """Meter -> its label with unit, of all that a version has a price for; calls if it has none."""
    found = sorted({price.meter for price in version.prices.all()} or {"requests"}, key=order_of)
    return {meter: f"{name_of(meter)}{_plural(meter)}" for meter in found}


def quote_of(
    card: RateCard, version: RateCardVersion, quantities: dict[str, Decimal], subscriptions: int
) -> Quote:
    """Work a month out as an invoice would. Refused where an amount is beyond what an invoice can hold."""
    lines = quote(terms=terms_of(card, version), quantities=quantities, subscriptions=subscriptions)
    return Quote(lines, total_of(lines), card.currency)


def _plural(meter: str) -> str:
    unit = unit_of(meter)
    return "" if meter in BUILT_IN and unit == "request" else f", {unit if unit == 'GiB' else unit + 's'}"


def _priced(price: Price, currency: str) -> Priced:
    described = prices.meter_terms(price, currency)
    model = price.get_model_display().partition(":")[0]
    return Priced(described.name, unit_of(price.meter), model, price.package_size, described.lines)
