"""Which version of a rate card a change goes into, and dropping one that has not begun."""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import locked
from billing.models import Price, RateCard, RateCardVersion


def next_minute(at: datetime | None = None) -> datetime:
    """Return the first whole minute that has not begun at that moment (default now): usage counts by minutes."""
    return (at or now()).replace(second=0, microsecond=0) + timedelta(minutes=1)


def is_used(rate_card: RateCard) -> bool:
    """Whether anybody is or was billed by it. The database answers: its trigger asks the same. 1 query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT billing_rate_card_used(%s)", [rate_card.pk])
        return bool(cursor.fetchone()[0])


def is_editable(version: RateCardVersion) -> bool:
    """Whether it may still change: it has not begun, or nobody was ever billed by its card."""
    return version.effective_from > now() or not is_used(version.rate_card)


def version_for_change(card: RateCard, at: datetime | None) -> RateCardVersion:
    """Return the version that a change from `at` on goes into; one is made where there is none.

    `card` is locked by the caller. None = at once: in place while nobody is billed by the card, else from the
    next minute on. A new version begins as a copy of the one in force at that time; later ones stay as they are.
    """
    used = is_used(card)
    if at is None and not used:
        return card.version_at(now())
    at = _check_time(at, used) if at else next_minute()
    found = card.versions.filter(effective_from=at).first()
    return found or _copy(card, card.version_at(at), at)


@transaction.atomic
def add_version(*, rate_card: RateCard, at: datetime | None = None, actor: User | None) -> RateCardVersion:
    """Return the version that begins at `at` (None = with the next minute), made as a copy if there is none."""
    card = locked(rate_card)
    at = at or next_minute()
    made = not card.versions.filter(effective_from=at).exists()
    version = version_for_change(card, at)
    if made:
        record(
            organization=card.organization,
            actor=actor,
            action="rate_card.version_added",
            target=card,
            summary=f"Made version {version.number} of rate card {card.name}{from_words(version)}",
        )
    return version


@transaction.atomic
def drop_version(*, version: RateCardVersion, actor: User | None) -> None:
    """Delete a version that has not begun. Refused for another, and for a card's only one."""
    card = locked(version.rate_card)
    if card.versions.count() == 1:
        raise Refused("A rate card needs one version at least. Delete the card instead.", code="last_version")
    if not is_editable(version):
        raise Refused(
            f"{str(version).capitalize()} is in force: change the rate card from a time to come instead.",
            code="in_force",
        )
    record(
        organization=card.organization,
        actor=actor,
        action="rate_card.version_dropped",
        target=card,
        summary=f"Dropped version {version.number} of rate card {card.name}{from_words(version)}",
    )
    version.delete()


def from_words(version: RateCardVersion) -> str:
    """`, from 2027-01-01 00:00 UTC on`."""
    return f", from {version.effective_from:%Y-%m-%d %H:%M} UTC on"


def _check_time(at: datetime, used: bool) -> datetime:
    field = "effective_from"
    if at.second or at.microsecond:
        raise Refused("Give a whole minute, such as 2027-01-01T00:00Z.", field=field)
    if used and at <= now():
        raise Refused(
            "Customers are billed by this rate card, so what it cost in the past stays. Choose a time to come.",
            field=field,
            code="in_the_past",
        )
    return at


def _copy(card: RateCard, source: RateCardVersion, at: datetime) -> RateCardVersion:
    number = max(card.versions.values_list("number", flat=True)) + 1
    made = RateCardVersion(
        organization_id=card.organization_id, rate_card=card, number=number, effective_from=at
    )
    for name in RateCardVersion.TERMS:
        setattr(made, name, getattr(source, name))
    made.save(force_insert=True)
    copy_prices(source, made)
    return made


def copy_prices(source: RateCardVersion, target: RateCardVersion) -> None:
    """Give `target`, which has none, the prices of `source`."""
    prices = list(source.prices.all())
    for price in prices:
        price.pk, price.version, price.organization_id = None, target, target.organization_id
    Price.objects.bulk_create(prices)
