"""Throttles of a plan for single operations, or for all operations of a stage. AWS: `/path/METHOD`, `*/*`."""

from django.db import transaction

from access.limits import check_throttle
from access.models import PlanThrottle, UsagePlan
from access.signals import plans_changed
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import Changes, locked
from apis.models import Operation, Stage

# of one plan; each is part of the plan's entry on every node
MOST_THROTTLES = 500


@transaction.atomic
def set_plan_throttle(
    *,
    plan: UsagePlan,
    stage: Stage,
    operation: Operation | None,
    rate: float | None,
    burst: int | None,
    actor: User | None,
) -> PlanThrottle:
    """Limit each subscription's calls of an operation; `operation` None = those without a limit of their own.

    Rate in calls a second, burst in calls. What was set there before is replaced; counters go on.
    """
    plan = locked(plan)
    _check(plan, stage, operation, rate, burst)
    assert rate is not None
    assert burst is not None
    row = PlanThrottle.objects.filter(plan=plan, stage=stage, operation=operation).first()
    before = [row.rate, row.burst] if row else None
    if before == [rate, burst] and row:
        return row
    if row is None and plan.operation_throttles.count() >= MOST_THROTTLES:
        raise Refused(f"{plan} has {MOST_THROTTLES} throttles; remove one first.", code="too_many")
    row = row or PlanThrottle(
        organization_id=plan.organization_id, plan=plan, stage=stage, operation=operation
    )
    row.rate, row.burst = rate, burst
    row.save()
    changes = {"throttle": [before, [rate, burst]]}
    _announce(row, actor, "plan.throttle_set", f"Limited {plan} to {row}.", changes)
    return row


@transaction.atomic
def remove_plan_throttle(*, throttle: PlanThrottle, actor: User | None) -> None:
    """Take the limit away; the broader ones hold on."""
    locked(throttle.plan)
    _announce(
        throttle, actor, "plan.throttle_removed", f"Took from {throttle.plan}: {throttle}.", {}, gone=True
    )


def _check(
    plan: UsagePlan, stage: Stage, operation: Operation | None, rate: float | None, burst: int | None
) -> None:
    if not plan.plan_stages.filter(stage=stage).exists():
        raise Refused(f"{plan} does not open {stage}; add the stage to the plan first.", field="stage")
    if operation is not None and operation.version_id != stage.version_id:
        raise Refused(f"{operation} is not an operation of {stage}.", field="operation")
    if operation is not None and operation.removed_at is not None:
        raise Refused(f"{operation} is no longer in the document.", field="operation")
    if rate is None and burst is None:
        raise Refused("Give a rate and a burst, or remove the throttle.", field="rate")
    check_throttle(rate, burst, prefix="")


def _announce(
    row: PlanThrottle,
    actor: User | None,
    action: str,
    summary: str,
    changes: Changes,
    *,
    gone: bool = False,
) -> None:
    record(
        organization=row.organization,
        actor=actor,
        action=action,
        target=row.plan,
        summary=summary,
        changes=changes,
    )
    if gone:
        row.delete()
    plans_changed.send(UsagePlan, plan_ids=[row.plan_id])
