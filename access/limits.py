"""What makes sense as a plan's limits. Half-set limits are refused, never silently ignored."""

import math

from access.models import UsagePlan
from accounts.errors import Refused

# calls a second; far above what a node serves, so a larger number is a slip
MAX_RATE = 1_000_000


def check_limits(plan: UsagePlan) -> None:
    """Raise Refused at the field of the plan's throttle or quota that is missing or makes no sense."""
    rate, burst = plan.throttle_rate, plan.throttle_burst
    if rate is None and burst is not None:
        raise Refused("A burst needs a rate: give the calls a second too.", field="throttle_rate")
    if rate is not None:
        _check_throttle(rate, burst)
    if plan.quota_limit == 0:
        raise Refused(
            "A quota of 0 lets no call through. Leave it empty for no quota, or block with a rate of 0.",
            field="quota_limit",
        )


def _check_throttle(rate: float, burst: int | None) -> None:
    if not math.isfinite(rate) or not 0 <= rate <= MAX_RATE:
        raise Refused(f"Give a rate from 0 to {MAX_RATE:,} calls a second.", field="throttle_rate")
    if burst is None:
        raise Refused(
            "A rate needs a burst: give how many calls may come at once, such as twice the rate.",
            field="throttle_burst",
        )
    if rate > 0 and burst < 1:
        raise Refused("A burst of 0 lets no call through; give at least 1.", field="throttle_burst")
    if rate == 0 and burst > 0:
        raise Refused("A rate of 0 blocks every call; set the burst to 0 too.", field="throttle_burst")
