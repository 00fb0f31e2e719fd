"""Rate cards: make them, price their meters, and say which plan is billed by which.

A change applies from the next bill on. Invoices that are finalized hold copies and do not move.
"""

from decimal import Decimal
from typing import Any

from django.db import transaction

from access.models import UsagePlan
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from billing.currencies import check_currency
from billing.meters import check_meter, name_of
from billing.models import PlanPrice, Price, PricingModel, RateCard
from billing.presets import PRESETS
from billing.pricing import MONEY_LIMIT, make_tariff, plain, read_decimal, read_tiers, write_tiers


@transaction.atomic
def create_rate_card(
    *,
    organization: Organization,
    name: str,
    currency: str = "USD",
    base_fee: Decimal | str | int = 0,
    actor: User | None,
) -> RateCard:
    """Make an empty rate card; `base_fee` is for each subscription and month. Refused names the field."""
    card = RateCard(
        organization=organization,
        name=_free_name(organization, name),
        currency=check_currency(currency),
        base_fee=_base_fee(base_fee),
    )
    card.save(force_insert=True)
    _audit(card, actor, "rate_card.created", f"Made rate card {card.name} ({card.currency})")
    return card


@transaction.atomic
def change_rate_card(*, rate_card: RateCard, actor: User | None, **fields: Any) -> RateCard:
    """Change `name`, `base_fee` or (while no plan uses the card) `currency`. Refused names the field."""
    card = RateCard.objects.select_for_update().get(pk=rate_card.pk)
    unknown = set(fields) - {"name", "base_fee", "currency"}
    if unknown:
        raise Refused(f"A rate card has no {', '.join(sorted(unknown))}.", field=min(unknown))
    old = {name: str(getattr(card, name)) for name in fields}
    if "name" in fields:
        card.name = _free_name(card.organization, fields["name"], besides=card)
    if "base_fee" in fields:
        card.base_fee = _base_fee(fields["base_fee"])
    if "currency" in fields:
        _change_currency(card, fields["currency"])
    card.save()
    changes = {name: [old[name], str(getattr(card, name))] for name in fields}
    changes = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    if changes:
        _audit(card, actor, "rate_card.changed", f"Changed rate card {card.name}", changes)
    return card


@transaction.atomic
def set_price(
    *,
    rate_card: RateCard,
    meter: str,
    tiers: Any,
    free_units: Decimal | str | int = 0,
    model: str = PricingModel.GRADUATED,
    actor: User | None,
) -> Price:
    """Set the price of one meter; it takes the place of an earlier one.

    `tiers`: a list of `{"up_to", "unit_price", "flat_fee"}` (see billing/pricing.py), per request or per GiB.
    """
    check_meter(meter)
    tariff = make_tariff(model, tiers, free_units)
    checked = write_tiers(read_tiers(tiers))
    price, _ = Price.objects.update_or_create(
        rate_card=rate_card,
        meter=meter,
        defaults={
            "organization_id": rate_card.organization_id,
            "model": model,
            "free_units": tariff.free_units,
            "tiers": checked,
        },
    )
    _audit(
        rate_card,
        actor,
        "rate_card.priced",
        f"Set the price of {name_of(price.meter)} on rate card {rate_card.name}",
        {"tiers": [None, checked], "free_units": [None, plain(tariff.free_units)]},
    )
    return price


@transaction.atomic
def remove_price(*, price: Price, actor: User | None) -> None:
    """Take a meter's price off its rate card: it is then not charged."""
    card = price.rate_card
    _audit(
        card,
        actor,
        "rate_card.unpriced",
        f"Removed the price of {name_of(price.meter)} from {card.name}",
    )
    price.delete()


@transaction.atomic
def load_preset(*, rate_card: RateCard, preset: str, actor: User | None) -> RateCard:
    """Set the prices of a list in presets.py; other meters keep theirs.

    Refused(field `preset`) if unknown or in another currency.
    """
    chosen = PRESETS.get(preset)
    if chosen is None:
        raise Refused(f"Unknown price list {preset!r}. Use one of: {', '.join(PRESETS)}.", field="preset")
    if chosen.currency != rate_card.currency:
        raise Refused(
            f"{chosen.name} is in {chosen.currency}, this rate card in {rate_card.currency}. "
            f"Make a rate card in {chosen.currency}.",
            field="preset",
        )
    for price in chosen.prices:
        set_price(
            rate_card=rate_card,
            meter=price.meter,
            tiers=price.tiers,
            free_units=price.free_units,
            model=price.model,
            actor=actor,
        )
    return rate_card


@transaction.atomic
def copy_rate_card(*, rate_card: RateCard, name: str, actor: User | None) -> RateCard:
    """Make a rate card of the same organization with the same fee and prices under another name."""
    copy = create_rate_card(
        organization=rate_card.organization,
        name=name,
        currency=rate_card.currency,
        base_fee=rate_card.base_fee,
        actor=actor,
    )
    for price in rate_card.prices.all():
        price.pk, price.rate_card = None, copy
        price.save(force_insert=True)
    return copy


@transaction.atomic
def delete_rate_card(*, rate_card: RateCard, actor: User | None) -> None:
    """Delete a rate card that no plan is billed by. Refused otherwise."""
    used = list(PlanPrice.objects.filter(rate_card=rate_card).values_list("plan__name", flat=True)[:3])
    if used:
        raise Refused(
            f"Rate card {rate_card.name} is used by {', '.join(used)}. Price those plans otherwise first.",
            field="rate_card",
            code="in_use",
        )
    _audit(rate_card, actor, "rate_card.deleted", f"Deleted rate card {rate_card.name}")
    rate_card.delete()


@transaction.atomic
def price_plan(*, plan: UsagePlan, rate_card: RateCard | None, actor: User | None) -> PlanPrice | None:
    """Bill a plan by a rate card of the same organization; None makes the plan free."""
    if rate_card is not None and rate_card.organization_id != plan.organization_id:
        raise Refused("This rate card belongs to another organization than the plan.", field="rate_card")
    old = PlanPrice.objects.filter(plan=plan).select_related("rate_card").first()
    if rate_card is None:
        PlanPrice.objects.filter(plan=plan).delete()
        price = None
    else:
        price, _ = PlanPrice.objects.update_or_create(
            plan=plan, defaults={"rate_card": rate_card, "organization_id": plan.organization_id}
        )
    names = [old.rate_card.name if old else None, rate_card.name if rate_card else None]
    if names[0] != names[1]:
        record(
            organization=plan.organization,
            actor=actor,
            action="plan.priced",
            target=plan,
            summary=f"Plan {plan.name} is " + (f"billed by {names[1]}" if names[1] else "free"),
            changes={"rate_card": names},
        )
    return price


def _free_name(organization: Organization, name: str, besides: RateCard | None = None) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 80:
        raise Refused("Give the rate card a name of 1 to 80 characters.", field="name")
    others = RateCard.objects.filter(organization=organization, name=name)
    if besides:
        others = others.exclude(pk=besides.pk)
    if others.exists():
        raise Refused(f"There is a rate card named {name!r} already.", field="name", code="taken")
    return name


def _base_fee(value: Any) -> Decimal:
    return read_decimal(value, field="base_fee", name="Base fee", below=MONEY_LIMIT)


def _change_currency(card: RateCard, code: str) -> None:
    currency = check_currency(code)
    if currency != card.currency and card.plans.exists():
        raise Refused(
            "Plans are billed by this rate card, so its currency stays. Copy it into a new one instead.",
            field="currency",
        )
    card.currency = currency


def _audit(
    card: RateCard, actor: User | None, action: str, summary: str, changes: dict[str, Any] | None = None
) -> None:
    record(
        organization=card.organization,
        actor=actor,
        action=action,
        target=card,
        summary=summary,
        changes=changes,
    )
