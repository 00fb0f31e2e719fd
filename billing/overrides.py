"""What one customer pays differently: a discount, or an own tariff, from a time to come."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import check_fields, locked
from billing.meters import check_known_meter
from billing.models import PriceOverride, RateCard
from billing.pricing import make_tariff, read_decimal, read_tiers, write_tiers
from billing.rate_cards import next_minute

WHOLE = Decimal(100)


@transaction.atomic
def give_override(
    *,
    rate_card: RateCard,
    customer: Organization,
    meter: str = "",
    percent: Decimal | str | None = None,
    model: str = "",
    tiers: Any = None,
    free_units: Decimal | str | int = 0,
    package_size: Decimal | str | int | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    reason: str = "",
    actor: User | None,
) -> PriceOverride:
    """Give a customer (who pays) a discount in `percent`, or a tariff of its own for a meter, on a rate card.

    It holds from `starts_at` (a whole minute to come; None = the next one) until `ends_at`. Without a meter it is
    a discount on everything that the card charges. Refused names the field.
    """
    made = PriceOverride(
        organization=rate_card.organization,
        customer=customer,
        rate_card=rate_card,
        meter=check_known_meter(rate_card.organization, meter) if meter else "",
        starts_at=_to_come(starts_at, "starts_at") if starts_at else next_minute(),
        ends_at=ends_at,
        reason=reason.strip(),
    )
    if ends_at is not None and _whole(ends_at, "ends_at") <= made.starts_at:
        raise Refused("It must end after it starts.", field="ends_at")
    if (percent in (None, "")) == (not model):
        raise Refused("Give either a discount in percent, or a model with its tiers.", field="percent")
    if model:
        _set_tariff(made, model, tiers, free_units, package_size)
    else:
        made.percent = _percent(percent)
    check_fields(made)
    made.save(force_insert=True)
    _audit(made, actor, "price_override.given", f"Gave {customer} a price of its own on {rate_card}: {made}")
    return made


@transaction.atomic
def end_override(*, override: PriceOverride, at: datetime | None = None, actor: User | None) -> PriceOverride:
    """End it at a whole minute to come (None = the next one). One that has not begun then never does."""
    current = locked(override)
    at = _to_come(at, "ends_at") if at else next_minute()
    if current.ends_at is not None and current.ends_at < now():
        raise Refused("It has ended already.", field="ends_at", code="wrong_state")
    current.ends_at = max(at, current.starts_at)
    current.save(update_fields=["ends_at"])
    _audit(current, actor, "price_override.ended", f"{current} ends at {current.ends_at:%Y-%m-%d %H:%M} UTC")
    return current


def _set_tariff(made: PriceOverride, model: str, tiers: Any, free_units: Any, package_size: Any) -> None:
    if not made.meter:
        raise Refused("Say which meter this price is for.", field="meter")
    tariff = make_tariff(model, tiers, free_units, package_size=package_size)
    made.model, made.tiers, made.free_units = model, write_tiers(read_tiers(tiers)), tariff.free_units
    made.package_size = None if package_size in (None, "") else Decimal(str(package_size))


def _percent(raw: Any) -> Decimal:
    value = read_decimal(raw, field="percent", name="The discount")
    if not 0 < value <= WHOLE:
        raise Refused("A discount is above 0 and at most 100 percent.", field="percent")
    if value != round(value, 3):
        raise Refused("A discount has at most 3 decimals.", field="percent")
    return value


def _to_come(at: datetime, field: str) -> datetime:
    if _whole(at, field) <= now():
        raise Refused("What was used already stays as it was priced. Choose a time to come.", field=field)
    return at


def _whole(at: datetime, field: str) -> datetime:
    if at.second or at.microsecond:
        raise Refused("Give a whole minute, such as 2027-01-01T00:00Z.", field=field)
    return at


def _audit(override: PriceOverride, actor: User | None, action: str, summary: str) -> None:
    record(
        organization=override.organization,
        actor=actor,
        action=action,
        target=override,
        summary=summary,
    )
