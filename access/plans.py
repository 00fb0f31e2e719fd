"""Usage plans: made and changed by providers. No verb here ever touches a counter."""

from collections.abc import Iterable
from typing import Any

from access.models import PlanVisibility, QuotaPeriod, UsagePlan
from accounts.models import Organization, User
from apis.models import Stage


def create_plan(
    *,
    organization: Organization,
    name: str,
    actor: User | None,
    stages: Iterable[Stage] = (),
    description: str = "",
    visibility: str = PlanVisibility.PUBLIC,
    requires_approval: bool = False,
    throttle_rate: float | None = None,
    throttle_burst: int | None = None,
    quota_limit: int | None = None,
    quota_period: str = QuotaPeriod.MONTH,
    quota_offline_allowance: int = 1_000,
    position: int = 0,
) -> UsagePlan:
    """Make a plan. Rate in calls a second, burst and limit in calls; Refused names the field that is wrong."""
    raise NotImplementedError


def change_plan(*, plan: UsagePlan, actor: User | None, **fields: Any) -> UsagePlan:
    """Change any of `create_plan`'s fields (`stages` replaces the whole list)."""
    raise NotImplementedError


def archive_plan(*, plan: UsagePlan, actor: User | None) -> UsagePlan:
    """Take the plan off the website: no new subscriptions; those that run, run on."""
    raise NotImplementedError


def delete_plan(*, plan: UsagePlan, actor: User | None) -> None:
    """Delete a plan that was never subscribed to; otherwise Refused (archive it)."""
    raise NotImplementedError
