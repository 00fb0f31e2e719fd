"""What makes sense as a plan's limits. Half-set limits are refused, never silently ignored."""

import math

from access.models import UsagePlan
from accounts.errors import Refused

# calls a second; far above what a node serves, so a larger number is a slip
MAX_RATE = 1_000_000


def check_limits(plan: UsagePlan) -> None:
    """Raise Refused at the field of the plan's throttle or quota that is missing or makes no sense."""
    check_throttle(plan.throttle_rate, plan.throttle_burst)
    if plan.quota_limit == 0:
        raise Refused(
            "A quota of 0 lets no call through. Leave it empty for no quota, or block with a rate of 0.",
            field="quota_limit",
        )
    if plan.quota_offset and plan.quota_limit is None:
        raise Refused("An offset needs a quota: give its limit too.", field="quota_limit")
    if plan.quota_limit is not None and plan.quota_offset > plan.quota_limit:
        raise Refused(
            "The offset is taken off the quota in a subscription's first period; it cannot be larger.",
            field="quota_offset",
        )


def check_throttle(rate: float | None, burst: int | None, *, prefix: str = "throttle_") -> None:
    """Raise Refused at `{prefix}rate` or `{prefix}burst` unless both are given and make sense, or neither is."""
    if rate is None:
        if burst is not None:
            raise Refused("A burst needs a rate: give the calls a second too.", field=f"{prefix}rate")
        return
    if not math.isfinite(rate) or not 0 <= rate <= MAX_RATE:
        raise Refused(f"Give a rate from 0 to {MAX_RATE:,} calls a second.", field=f"{prefix}rate")
    if burst is None:
        raise Refused(
            "A rate needs a burst: give how many calls may come at once, such as twice the rate.",
            field=f"{prefix}burst",
        )
    if rate > 0 and burst < 1:
        raise Refused("A burst of 0 lets no call through; give at least 1.", field=f"{prefix}burst")
    if rate == 0 and burst > 0:
        raise Refused("A rate of 0 blocks every call; set the burst to 0 too.", field=f"{prefix}burst")


def notes_on(plan: UsagePlan) -> list[str]:
    """Say where a narrower limit lies above a broader one, which then is what holds. Sentences for people.

    Load `operation_throttles` with operation and stage, and `stages`, beforehand.
    """
    stages = {stage.pk: stage for stage in plan.stages.all()}
    found = [
        f"The plan's {plan.throttle_rate:g} calls a second are above the {stage.throttle_rate:g} of its stage "
        f"{stage}; the stage's limit holds."
        for stage in stages.values()
        if _above(plan.throttle_rate, stage.throttle_rate)
    ]
    for throttle in plan.operation_throttles.all():
        where = f"{throttle.operation}" if throttle.operation else "every operation"
        broader = {"plan": plan.throttle_rate, "stage": stages[throttle.stage_id].throttle_rate}
        for name, rate in broader.items():
            if _above(throttle.rate, rate):
                found.append(
                    f"The {throttle.rate:g} calls a second for {where} are above the {name}'s {rate:g}, "
                    f"which hold."
                )
    return found


def _above(narrow: float | None, broad: float | None) -> bool:
    return narrow is not None and broad is not None and narrow > broad
