"""Rate cards: make, copy and delete them."""

from typing import Any

from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from billing.currencies import check_currency
from billing.models import PlanPrice, RateCard, RateCardVersion, TiersOver
from billing.rate_cards.terms import read_terms
from billing.rate_cards.versions import copy_prices, is_used


@transaction.atomic
def create_rate_card(
    *,
    organization: Organization,
    name: str,
    currency: str = "USD",
    tiers_over: str = TiersOver.CUSTOMER,
    actor: User | None,
    **terms: Any,
) -> RateCard:
    """Make a rate card without prices; `terms` are those of its first version (RateCardVersion.TERMS).

    Refused names the field.
    """
    unknown = set(terms) - set(RateCardVersion.TERMS)
    if unknown:
        raise Refused(f"A rate card has no {', '.join(sorted(unknown))}.", field=min(unknown))
    if tiers_over not in TiersOver.values:
        raise Refused(f"Use one of: {', '.join(TiersOver.values)}.", field="tiers_over")
    card = RateCard(
        organization=organization,
        name=free_name(organization, name),
        currency=check_currency(currency),
        tiers_over=tiers_over,
    )
    # the first version holds for all that was before it, so its own moment does not matter
    first = RateCardVersion(
        organization=organization,
        rate_card=card,
        number=1,
        effective_from=now().replace(second=0, microsecond=0),
    )
    for field, value in read_terms(first, terms).items():
        setattr(first, field, value)
    card.save(force_insert=True)
    first.save(force_insert=True)
    audit(card, actor, "rate_card.created", f"Made rate card {card.name} ({card.currency})")
    return card


@transaction.atomic
def copy_rate_card(*, rate_card: RateCard, name: str, actor: User | None) -> RateCard:
    """Make a rate card of the same organization with today's terms and prices under another name."""
    source = rate_card.current
    copy = create_rate_card(
        organization=rate_card.organization,
        name=name,
        currency=rate_card.currency,
        tiers_over=rate_card.tiers_over,
        actor=actor,
        **{term: getattr(source, term) for term in RateCardVersion.TERMS},
    )
    copy_prices(source, copy.current)
    return copy


@transaction.atomic
def delete_rate_card(*, rate_card: RateCard, actor: User | None) -> None:
    """Delete a rate card that nobody is or was billed by. Refused otherwise."""
    used = list(PlanPrice.objects.filter(rate_card=rate_card).values_list("plan__name", flat=True)[:3])
    if used:
        raise Refused(
            f"Rate card {rate_card.name} is used by {', '.join(used)}. Price those plans otherwise first.",
            field="rate_card",
            code="in_use",
        )
    if is_used(rate_card) or rate_card.overrides.exists():
        raise Refused(
            f"Customers were billed by rate card {rate_card.name}, or have prices of their own on it: it stays.",
            field="rate_card",
            code="in_use",
        )
    audit(rate_card, actor, "rate_card.deleted", f"Deleted rate card {rate_card.name}")
    rate_card.delete()


def free_name(organization: Organization, name: str, besides: RateCard | None = None) -> str:
    """Return a name that no other card of the organization has. Refused(field `name`) otherwise."""
    name = name.strip()
    if not 1 <= len(name) <= 80:
        raise Refused("Give the rate card a name of 1 to 80 characters.", field="name")
    others = RateCard.objects.filter(organization=organization, name=name)
    if besides:
        others = others.exclude(pk=besides.pk)
    if others.exists():
        raise Refused(f"There is a rate card named {name!r} already.", field="name", code="taken")
    return name


def audit(
    card: RateCard, actor: User | None, action: str, summary: str, changes: dict[str, Any] | None = None
) -> None:
    """Write the audit line of a verb on a rate card."""
    record(
        organization=card.organization,
        actor=actor,
        action=action,
        target=card,
        summary=summary,
        changes=changes,
    )
