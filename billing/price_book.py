"""What plans were billed by, when: rate cards, their versions, and customers' overrides, loaded for many at once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.any_of import any_of
from billing.models import PlanPrice, PlanPriceChange, PriceOverride, RateCard, RateCardVersion


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in which a plan was billed by one version of one card; without a card it was free."""

    start: datetime
    end: datetime
    card: RateCard | None
    version: RateCardVersion | None


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Plans' cards with versions and prices, and the overrides of each customer."""

    cards: dict[str, RateCard] = field(default_factory=dict)
    # plan -> card now; plan -> (at, card before, card after), oldest first
    now: dict[str, str] = field(default_factory=dict)
    changes: dict[str, list[PlanPriceChange]] = field(default_factory=dict)
    overrides: dict[str, list[PriceOverride]] = field(default_factory=dict)
    # (price, meter, tier) -> how a bill calls it; card -> its frozen copy: the same for all customers
    words: dict[tuple[str, str, int], str] = field(default_factory=dict)
    frozen_cards: dict[str, dict[str, Any]] = field(default_factory=dict)
    # (plan, from, until) -> its stretches, which all on the plan share
    known_stretches: dict[tuple[str, datetime, datetime], list[Stretch]] = field(default_factory=dict)

    @property
    def bills_in_advance(self) -> bool:
        """Whether a version of one of the cards bills the coming month's fee."""
        return any(v.base_fee_in_advance for card in self.cards.values() for v in card.loaded_versions)

    def stretches(self, plan_id: str, start: datetime, end: datetime) -> Sequence[Stretch]:
        """Return the stretches of a plan that cover [start, end)."""
        key = (plan_id, start, end)
        if key not in self.known_stretches:
            self.known_stretches[key] = list(self._stretches(plan_id, start, end))
        return self.known_stretches[key]

    def _stretches(self, plan_id: str, start: datetime, end: datetime) -> Iterator[Stretch]:
        for first, until, card_id in self._cards_of(plan_id, start, end):
            card = self.cards[card_id] if card_id else None
            if card is None:
                yield Stretch(first, until, None, None)
                continue
            moments = [v.effective_from for v in card.loaded_versions if first < v.effective_from < until]
            for a, b in zip([first, *moments], [*moments, until], strict=True):
                yield Stretch(a, b, card, version_at(card, a))

    def card_at(self, plan_id: str, moment: datetime) -> RateCard | None:
        """Return the card that billed a plan then; None = it was free."""
        card_id = self.now.get(plan_id)
        for change in reversed(self.changes.get(plan_id, ())):
            if change.at <= moment:
                break
            card_id = change.old_card_id
        return self.cards[card_id] if card_id else None

    def moments(self, payer_id: str, card_id: str) -> list[datetime]:
        """Return when overrides of a customer and card begin and end."""
        found = (o for o in self.overrides.get(payer_id, ()) if o.rate_card_id == card_id)
        return [moment for o in found for moment in (o.starts_at, o.ends_at) if moment]

    def override(self, payer_id: str, card_id: str, meter: str, at: datetime) -> PriceOverride | None:
        """Return what a customer pays differently for a meter then; '' asks for the base fee's.

        One for the meter goes before one for all, and the later made before the earlier.
        """
        found = [
            o
            for o in self.overrides.get(payer_id, ())
            if o.rate_card_id == card_id
            and o.meter in ("", meter)
            and o.starts_at <= at
            and (o.ends_at is None or at < o.ends_at)
        ]
        return max(found, key=lambda o: (o.meter != "", o.created_at), default=None)

    def _cards_of(
        self, plan_id: str, start: datetime, end: datetime
    ) -> Iterable[tuple[datetime, datetime, str | None]]:
        within = [c for c in self.changes.get(plan_id, ()) if start < c.at < end]
        if not within:
            card = self.card_at(plan_id, start)
            yield start, end, card.id if card else None
            return
        moments = [start, *(c.at for c in within), end]
        cards = [within[0].old_card_id, *(c.new_card_id for c in within)]
        yield from zip(moments, moments[1:], cards, strict=False)


def version_at(card: RateCard, moment: datetime) -> RateCardVersion:
    """Return what `card.version_at` does, of the versions that are loaded."""
    found = card.loaded_versions
    return next((v for v in reversed(found) if v.effective_from <= moment), found[0])


def load_prices(
    *, plan_ids: Collection[str], payer_ids: Collection[str] = (), provider_ids: Collection[str] = ()
) -> PriceBook:
    """Return what these plans were and are billed by, and what these customers pay differently. 6 queries."""
    book = PriceBook(
        now=dict(PlanPrice.objects.filter(plan__in=plan_ids).values_list("plan_id", "rate_card_id")),
        changes=defaultdict(list),
        overrides=defaultdict(list),
    )
    for change in PlanPriceChange.objects.filter(plan__in=plan_ids).order_by("plan_id", "at"):
        book.changes[change.plan_id].append(change)
    changed = (c for changes in book.changes.values() for c in changes)
    wanted = {*book.now.values(), *(pk for c in changed for pk in (c.old_card_id, c.new_card_id) if pk)}
    cards = RateCard.objects.filter(pk__in=wanted).prefetch_related("versions__prices")
    book.cards.update((card.id, card) for card in cards)
    given = PriceOverride.objects.filter(any_of("customer", payer_ids), organization__in=provider_ids)
    for override in given:
        book.overrides[override.customer_id].append(override)
    return book
