"""The demo's plans, and what they cost."""

from access.models import UsagePlan
from access.plans import create_plan
from accounts.models import Organization, User
from apis.models import Stage
from billing.models import RateCard
from billing.presets import PRESETS
from billing.rate_cards import create_rate_card, load_preset, price_plan


def make_plans(*, organization: Organization, stage: Stage, actor: User) -> dict[str, UsagePlan]:
    """Make Free and Pro, unless they are there."""
    return {
        "Free": _plan(organization, "Free") or _make_free(organization, stage, actor),
        "Pro": _plan(organization, "Pro") or _make_pro(organization, stage, actor),
    }


def _plan(organization: Organization, name: str) -> UsagePlan | None:
    return UsagePlan.objects.filter(organization=organization, name=name).first()


def _make_free(organization: Organization, stage: Stage, actor: User) -> UsagePlan:
    return create_plan(
        organization=organization,
        name="Free",
        description="To try things out.",
        throttle_rate=5,
        throttle_burst=10,
        quota_limit=1_000,
        stages=[stage],
        position=1,
        actor=actor,
    )


def _make_pro(organization: Organization, stage: Stage, actor: User) -> UsagePlan:
    plan = create_plan(
        organization=organization,
        name="Pro",
        description="For production: pay for what you use, at Amazon API Gateway's prices.",
        throttle_rate=50,
        throttle_burst=100,
        stages=[stage],
        position=2,
        actor=actor,
    )
    card = _rate_card(organization, actor)
    price_plan(plan=plan, rate_card=card, actor=actor)
    return plan


def _rate_card(organization: Organization, actor: User) -> RateCard:
    preset = PRESETS["aws-rest"]
    card = RateCard.objects.filter(organization=organization, name=preset.name).first()
    if card is None:
        card = create_rate_card(
            organization=organization, name=preset.name, currency=preset.currency, actor=actor
        )
        load_preset(rate_card=card, preset="aws-rest", actor=actor)
    return card
