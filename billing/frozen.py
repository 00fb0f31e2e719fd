"""The copies that an invoice keeps: all that a reader needs to recompute its lines. Numbers are text."""

from collections.abc import Iterable, Mapping
from typing import Any

from access.models import Subscription
from accounts.models import Organization
from billing.currencies import DECIMALS
from billing.differences import Billed
from billing.models import Price, PriceOverride, RateCard, RateCardVersion
from billing.periods import Period
from billing.pricing import plain
from billing.timeline import Span


def frozen_organization(organization: Organization) -> dict[str, str]:
    return {
        "id": organization.id,
        "name": organization.name,
        "billing_email": organization.billing_email,
        "timezone": organization.timezone,
    }


def frozen_month(period: Period) -> dict[str, str]:
    return {"name": period.key, "timezone": period.timezone}


def frozen_rounding(currency: str) -> dict[str, Any]:
    return {"currency": currency, "decimals": DECIMALS[currency], "mode": "half up"}


def frozen_subscription(subscription: Subscription, spans: Iterable[Span]) -> dict[str, Any]:
    """Its names as they are now, and its plans of the month; `plan` is the last."""
    plans = {span.plan.id: span.plan for span in spans}
    *_, last = plans.values()
    application, customer = subscription.application, subscription.organization
    return {
        "id": subscription.id,
        "customer": {"id": customer.id, "name": customer.name},
        "application": {"id": application.id, "name": application.name},
        "plan": {"id": last.id, "name": last.name},
        "plans": [{"id": plan.id, "name": plan.name} for plan in plans.values()],
    }


def frozen_span(span: Span) -> dict[str, Any]:
    """A part of a subscription's month; docs/proof.md says what it is for."""
    return {
        "subscription": span.subscription.id,
        "developer": span.subscription.organization_id,
        "from": span.start.isoformat(),
        "until": span.end.isoformat(),
        "plan": span.plan.id,
        "rate_card": span.card and span.card.id,
        "version": span.version and span.version.number,
        "segment": span.segment.isoformat(),
        "trial": span.trial,
        "anew": span.anew,
        "paid_from": span.paid_from.isoformat(),
        "paid_until": span.paid_until.isoformat(),
    }


def frozen_rate_card(card: RateCard) -> dict[str, Any]:
    """A card with its versions; the first holds for all that was before it."""
    return {
        "id": card.id,
        "name": card.name,
        "currency": card.currency,
        "tiers_over": card.tiers_over,
        "versions": [_version(version) for version in card.loaded_versions],
    }


def frozen_override(override: PriceOverride) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": override.id,
        "rate_card": override.rate_card_id,
        "meter": override.meter,
        "from": override.starts_at.isoformat(),
        "until": override.ends_at and override.ends_at.isoformat(),
        "made_at": override.created_at.isoformat(),
    }
    if override.percent is not None:
        return made | {"percent": plain(override.percent)}
    return made | _price(override)


def frozen_billed(billed: Mapping[str, Billed]) -> dict[str, dict[str, str]]:
    """Item -> quantity and amount that other invoices hold."""
    return {
        key: {"quantity": plain(each.quantity), "amount": plain(each.amount)}
        for key, each in sorted(billed.items())
    }


def _version(version: RateCardVersion) -> dict[str, Any]:
    terms = {name: getattr(version, name) for name in RateCardVersion.TERMS}
    for name in ("base_fee", "minimum", "maximum"):
        terms[name] = None if terms[name] is None else plain(terms[name])
    return {
        "number": version.number,
        "effective_from": version.effective_from.isoformat(),
        **terms,
        "prices": [_price(price) for price in version.price_of.values()],
    }


def _price(price: Price | PriceOverride) -> dict[str, Any]:
    return {
        "meter": price.meter,
        "model": price.model,
        "free_units": plain(price.free_units),
        "package_size": None if price.package_size is None else plain(price.package_size),
        "tiers": price.tiers,
    }
