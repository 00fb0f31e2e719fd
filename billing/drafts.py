"""Invoices in memory: the lines of a payer's months that are not billed yet, and the copies that explain them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from accounts.models import Organization
from billing.differences import Billed, Difference, differences
from billing.draft_lines import DraftLine
from billing.expected import Month
from billing.frozen import (
    frozen_billed,
    frozen_month,
    frozen_organization,
    frozen_override,
    frozen_rate_card,
    frozen_rounding,
    frozen_span,
    frozen_subscription,
)
from billing.items import packages_words
from billing.models import Invoice, InvoiceState, RateCard
from billing.periods import Period
from billing.price_book import PriceBook
from billing.pricing import ZERO, plain
from billing.timeline import Span


@dataclass(slots=True)
class Draft:
    """A payer's invoice in one currency, with its lines, not yet written."""

    customer: Organization
    currency: str
    lines: list[DraftLine] = field(default_factory=list)
    frozen: dict[str, Any] = field(
        default_factory=lambda: {"subscriptions": {}, "rate_cards": {}, "overrides": {}, "months": []}
    )

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


def draft_invoices(
    *,
    customers: Mapping[str, Organization],
    months: Sequence[tuple[Mapping[str, Month], Mapping[str, Mapping[str, Billed]]]],
    current: Period,
    book: PriceBook,
) -> list[Draft]:
    """Return the drafts by payer and currency; none is empty. `months`: (rated months, what was billed of them).

    A month before `current` gives lines "late counts of ..."; one after it, fees in advance.
    """
    drafts: dict[tuple[str, str], Draft] = {}
    for rated, billed in months:
        for payer_id, month in rated.items():
            before = billed.get(payer_id, {})
            for currency, found in _by_currency(month, before).items():
                draft = drafts.setdefault((payer_id, currency), Draft(customers[payer_id], currency))
                _add_month(draft, month, found, before, current=current, book=book)
    return list(drafts.values())


def frozen_copy(
    provider: Organization,
    draft: Draft,
    period: Period,
    seals: Mapping[str, Mapping[str, Any]],
    meters: Mapping[str, str],
) -> dict[str, Any]:
    """Return all that a reader needs to recompute the invoice, as JSON; numbers are text.

    `seals`: developer's id -> {"number", "hash"} of the newest seal of its hours when the invoice was made;
    `meters`: how the provider's own meters add up.
    """
    spans = [span for month in draft.frozen["months"] for span in month["spans"]]
    return {
        "provider": frozen_organization(provider),
        "customer": frozen_organization(draft.customer),
        "month": frozen_month(period),
        "rounding": frozen_rounding(draft.currency),
        **{name: list(draft.frozen[name].values()) for name in ("subscriptions", "rate_cards", "overrides")},
        "months": draft.frozen["months"],
        "meters": dict(meters),
        "seals": {pk: seals[pk] for pk in sorted({span["developer"] for span in spans}) if pk in seals},
    }


def last_parts(invoices: QuerySet[Invoice]) -> dict[tuple[str, str], tuple[int, datetime | None]]:
    """Return (customer id, currency) -> (highest part, newest period end that is not void)."""
    found: dict[tuple[str, str], tuple[int, datetime | None]] = {}
    for invoice in invoices.order_by("part").only("customer", "currency", "part", "period_end", "state"):
        key = (invoice.customer_id, invoice.currency)
        end = found.get(key, (0, None))[1]
        if invoice.state != InvoiceState.VOID:
            end = max(end, invoice.period_end) if end else invoice.period_end
        found[key] = (invoice.part, end)
    return found


def only_expected(
    months: Mapping[str, Month], billed: Mapping[str, Mapping[str, Billed]]
) -> dict[str, dict[str, Billed]]:
    """Leave out what was billed of other items: of a month that is looked at for its fees alone, they stay."""
    found = {}
    for payer_id, month in months.items():
        expected = {key for items in month.rated.items.values() for key in items}
        before = billed.get(payer_id, {})
        found[payer_id] = {key: each for key, each in before.items() if key in expected}
    return found


def _by_currency(month: Month, billed: Mapping[str, Billed]) -> dict[str, list[Difference]]:
    items = [item for found in month.rated.items.values() for item in found.values()]
    found: dict[str, list[Difference]] = {}
    for each in differences(items, billed):
        found.setdefault(each.currency, []).append(each)
    return found


def _add_month(
    draft: Draft,
    month: Month,
    found: Sequence[Difference],
    billed: Mapping[str, Billed],
    *,
    current: Period,
    book: PriceBook,
) -> None:
    by_subscription: dict[str, list[Span]] = {}
    for span in month.spans:
        by_subscription.setdefault(span.subscription.id, []).append(span)
    note = _note(month.period, current)
    for each in found:
        draft.lines.append(_line(each, by_subscription, month.period, len(draft.lines) + 1, note))
    _freeze(draft, month, billed, by_subscription, book)


def _note(period: Period, current: Period) -> str:
    if period == current:
        return ""
    return f" ({'late counts of' if period.start < current.start else 'in advance for'} {period.label})"


def _line(
    each: Difference, spans: Mapping[str, list[Span]], period: Period, position: int, note: str
) -> DraftLine:
    owner = _owner(each)
    label = ""
    if owner in spans:
        subscription = spans[owner][-1].subscription
        # after a change of plans, the plan that this line is of
        card = each.item.card if each.item else None
        of_card = [s for s in spans[owner] if s.card is card or (s.card and card and s.card.id == card.id)]
        of_card = of_card or spans[owner]
        label = f"{subscription.application.name}, {of_card[-1].plan.name}: "
    elif each.item is not None and each.item.card is not None:
        label = f"{each.item.card.name}: "
    words = each.description if each.item is None else f"{label}{each.description}"
    note = packages_words(each.packages) + note
    return DraftLine(
        subscription_id=owner if owner in spans else None,
        position=position,
        description=_short(words + note),
        month_start=period.start,
        item=each.key,
        meter=each.meter,
        tier=each.tier,
        quantity=each.quantity,
        packages=each.packages,
        unit_price=each.unit_price,
        flat_fee=each.flat_fee,
        amount=each.amount,
        breakdown={pk: [plain(units), plain(money)] for pk, (units, money) in each.parts().items()},
    )


def _frozen_card(card: RateCard, book: PriceBook) -> dict[str, Any]:
    if card.id not in book.frozen_cards:
        book.frozen_cards[card.id] = frozen_rate_card(card)
    return book.frozen_cards[card.id]


def _owner(each: Difference) -> str:
    """Return the only subscription of a line, or ''."""
    if each.item is None or len(each.item.weights) != 1:
        return ""
    return next(iter(each.item.weights))


def _short(words: str) -> str:
    return words if len(words) <= 300 else words[:299] + "…"


def _freeze(
    draft: Draft,
    month: Month,
    billed: Mapping[str, Billed],
    spans: Mapping[str, list[Span]],
    book: PriceBook,
) -> None:
    workings = month.rated.workings.get(draft.currency, [])
    for pk, own in spans.items():
        if any(span.card is None or span.card.currency == draft.currency for span in own):
            draft.frozen["subscriptions"].setdefault(pk, frozen_subscription(own[0].subscription, own))
            for span in own:
                if span.card is not None and span.card.id not in draft.frozen["rate_cards"]:
                    draft.frozen["rate_cards"][span.card.id] = _frozen_card(span.card, book)
    cards = draft.frozen["rate_cards"]
    for override in book.overrides.get(month.payer_id, ()):
        if override.rate_card_id in cards:
            draft.frozen["overrides"][override.id] = frozen_override(override)
    draft.frozen["months"].append(
        {
            "name": month.period.key,
            "spans": [
                frozen_span(span)
                for pk, own in spans.items()
                if pk in draft.frozen["subscriptions"]
                for span in own
            ],
            "workings": workings,
            "invoiced_before": frozen_billed(
                {k: b for k, b in billed.items() if b.currency == draft.currency}
            ),
        }
    )
