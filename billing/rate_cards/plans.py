"""Which plan is billed by which rate card."""

from django.db import transaction

from access.models import PlanChange as SubscriptionPlanChange, Subscription, UsagePlan
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import locked
from billing.models import PlanPrice, PlanPriceChange, RateCard
from billing.rate_cards.versions import next_minute


@transaction.atomic
def price_plan(*, plan: UsagePlan, rate_card: RateCard | None, actor: User | None) -> PlanPrice | None:
    """Bill a plan by a rate card of the same organization; None makes the plan free.

    What subscribers used before the next whole minute is billed as it was until then.
    """
    if rate_card is not None and rate_card.organization_id != plan.organization_id:
        raise Refused("This rate card belongs to another organization than the plan.", field="rate_card")
    plan = locked(plan)
    old = PlanPrice.objects.filter(plan=plan).select_related("rate_card").first()
    before = old.rate_card if old else None
    if before == rate_card:
        return old
    if _had_subscribers(plan):
        _note_change(plan, before, rate_card)
    price = _store(plan, rate_card)
    record(
        organization=plan.organization,
        actor=actor,
        action="plan.priced",
        target=plan,
        summary=f"Plan {plan.name} is " + (f"billed by {rate_card.name}" if rate_card else "free"),
        changes={"rate_card": [before.name if before else None, rate_card.name if rate_card else None]},
    )
    return price


def _store(plan: UsagePlan, rate_card: RateCard | None) -> PlanPrice | None:
    if rate_card is None:
        PlanPrice.objects.filter(plan=plan).delete()
        return None
    price, _ = PlanPrice.objects.update_or_create(
        plan=plan, defaults={"rate_card": rate_card, "organization_id": plan.organization_id}
    )
    return price


def _had_subscribers(plan: UsagePlan) -> bool:
    moved = SubscriptionPlanChange.objects.filter(old_plan=plan)
    return Subscription.objects.filter(plan=plan).exists() or moved.exists()


def _note_change(plan: UsagePlan, before: RateCard | None, after: RateCard | None) -> None:
    """Keep the plan's history; a second change within the minute takes the place of the first."""
    change, made = PlanPriceChange.objects.get_or_create(
        plan=plan,
        at=next_minute(),
        defaults={"organization_id": plan.organization_id, "old_card": before, "new_card": after},
    )
    if made:
        return
    if change.old_card == after:
        change.delete()
        return
    change.new_card = after
    change.save(update_fields=["new_card"])
