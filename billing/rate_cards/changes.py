"""Changing what a rate card costs, from a moment on."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import locked
from billing.currencies import check_currency
from billing.meters import check_known_meter, name_of
from billing.models import Price, PricingModel, RateCard, RateCardVersion, TiersOver
from billing.presets import PRESETS, Preset
from billing.pricing import make_tariff, plain, read_tiers, write_tiers
from billing.rate_cards.cards import audit, free_name
from billing.rate_cards.terms import read_terms
from billing.rate_cards.versions import from_words, is_used, version_for_change
from metering.meters import create_meter
from metering.models import CustomMeter

CARD_FIELDS = ("name", "currency", "tiers_over")


@transaction.atomic
def change_rate_card(
    *, rate_card: RateCard, at: datetime | None = None, actor: User | None, **fields: Any
) -> RateCard:
    """Change a card's `name`, `currency` and `tiers_over`, and its terms (RateCardVersion.TERMS).

    The name changes at once; currency and tiers_over only while nobody is billed by the card. Terms hold from
    `at` on, a whole minute to come; None = from the next one. Refused names the field.
    """
    card = locked(rate_card)
    unknown = set(fields) - {*CARD_FIELDS, *RateCardVersion.TERMS}
    if unknown:
        raise Refused(f"A rate card has no {', '.join(sorted(unknown))}.", field=min(unknown))
    changes = _change_card(card, {name: fields[name] for name in CARD_FIELDS if name in fields})
    given = {name: fields[name] for name in RateCardVersion.TERMS if name in fields}
    changes |= _change_terms(card, given, at)
    if changes:
        audit(card, actor, "rate_card.changed", f"Changed rate card {card.name}", changes)
    return card


@transaction.atomic
def set_price(
    *,
    rate_card: RateCard,
    meter: str,
    tiers: Any,
    free_units: Decimal | str | int = 0,
    model: str = PricingModel.GRADUATED,
    package_size: Decimal | str | int | None = None,
    at: datetime | None = None,
    actor: User | None,
) -> Price:
    """Set the price of one meter; from `at` on (see `change_rate_card`) it takes the place of an earlier one.

    `meter`: one of the gateway's, or a meter of the card's organization. `tiers`: a list of `{"up_to",
    "unit_price", "flat_fee"}` (see billing/pricing/), for each unit of the meter.
    """
    meter = check_known_meter(rate_card.organization, meter)
    tariff = make_tariff(model, tiers, free_units, package_size=package_size)
    checked = write_tiers(read_tiers(tiers))
    version = version_for_change(locked(rate_card), at)
    price, _ = Price.objects.update_or_create(
        version=version,
        meter=meter,
        defaults={
            "organization_id": rate_card.organization_id,
            "model": model,
            "free_units": tariff.free_units,
            "package_size": None if package_size in (None, "") else Decimal(str(package_size)),
            "tiers": checked,
        },
    )
    audit(
        rate_card,
        actor,
        "rate_card.priced",
        f"Set the price of {name_of(meter)} on rate card {rate_card.name}{from_words(version)}",
        {"model": [None, model], "tiers": [None, checked], "free_units": [None, plain(tariff.free_units)]},
    )
    return price


@transaction.atomic
def remove_price(*, rate_card: RateCard, meter: str, at: datetime | None = None, actor: User | None) -> None:
    """Take a meter's price off its rate card: from `at` on it is not charged."""
    version = version_for_change(locked(rate_card), at)
    if not version.prices.filter(meter=meter).delete()[0]:
        raise Refused(f"{rate_card.name} has no price for {meter!r}.", field="meter")
    summary = f"Removed the price of {name_of(meter)} from {rate_card.name}{from_words(version)}"
    audit(rate_card, actor, "rate_card.unpriced", summary)


@transaction.atomic
def load_preset(
    *, rate_card: RateCard, preset: str, at: datetime | None = None, actor: User | None
) -> RateCard:
    """Set the prices of a list in presets.py, and make the provider's own meters that it needs and that are not there.

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
    _make_meters(rate_card.organization, chosen, actor)
    for price in chosen.prices:
        set_price(
            rate_card=rate_card,
            meter=price.meter,
            tiers=price.tiers,
            free_units=price.free_units,
            model=price.model,
            at=at,
            actor=actor,
        )
    return rate_card


def _make_meters(organization: Organization, preset: Preset, actor: User | None) -> None:
    there = set(CustomMeter.objects.filter(organization=organization).values_list("code", flat=True))
    for meter in preset.meters:
        if meter.code not in there:
            create_meter(
                organization=organization, code=meter.code, name=meter.name, unit=meter.unit, actor=actor
            )


def _change_card(card: RateCard, fields: dict[str, Any]) -> dict[str, Any]:
    if "name" in fields:
        fields["name"] = free_name(card.organization, fields["name"], besides=card)
    if "currency" in fields:
        fields["currency"] = check_currency(fields["currency"])
    if "tiers_over" in fields and fields["tiers_over"] not in TiersOver.values:
        raise Refused(f"Use one of: {', '.join(TiersOver.values)}.", field="tiers_over")
    changes = {
        name: [getattr(card, name), value] for name, value in fields.items() if getattr(card, name) != value
    }
    for field in ("currency", "tiers_over"):
        if field in changes and (card.plans.exists() or is_used(card)):
            raise Refused(
                f"Plans are billed by this rate card, so its {field.replace('_', ' ')} stays. "
                "Copy it into a new one instead.",
                field=field,
            )
    for name, (_, value) in changes.items():
        setattr(card, name, value)
    if changes:
        card.save(update_fields=list(changes))
    return changes


def _change_terms(card: RateCard, given: dict[str, Any], at: datetime | None) -> dict[str, Any]:
    if not given:
        return {}
    before = card.version_at(at) if at else card.current
    terms = read_terms(before, given)
    if all(getattr(before, name) == value for name, value in terms.items()):
        return {}
    version = version_for_change(card, at)
    changes = {
        name: [str(getattr(version, name)), str(value)]
        for name, value in terms.items()
        if getattr(version, name) != value
    }
    for name, value in terms.items():
        setattr(version, name, value)
    version.save(update_fields=list(terms))
    return changes
