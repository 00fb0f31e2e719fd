"""Usage plans: made and changed by providers. No verb here ever touches a counter."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from access.limits import check_limits
from access.models import CountersOnChange, PlanStage, PlanVisibility, QuotaPeriod, QuotaScope, UsagePlan
from access.overlap import refuse_overlap_of_subscribers
from access.signals import plans_changed
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import Changes, assign, check_fields, locked, taken_is_refused
from apis.models import RequestLogging, Stage

CHANGEABLE = (
    "name",
    "description",
    "visibility",
    "requires_approval",
    "throttle_rate",
    "throttle_burst",
    "quota_limit",
    "quota_period",
    "quota_offset",
    "quota_scope",
    "quota_offline_allowance",
    "counters_on_change",
    "request_log",
    "position",
)


@transaction.atomic
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
    quota_offset: int = 0,
    quota_scope: str = QuotaScope.SUBSCRIPTION,
    quota_offline_allowance: int = 1_000,
    counters_on_change: str = CountersOnChange.KEEP,
    request_log: str = RequestLogging.ALL,
    position: int = 0,
) -> UsagePlan:
    """Make a plan. Rate in calls a second, burst and quota in calls; Refused names the wrong field."""
    plan = UsagePlan(
        organization=organization,
        name=name.strip(),
        description=description,
        visibility=visibility,
        requires_approval=requires_approval,
        throttle_rate=throttle_rate,
        throttle_burst=throttle_burst,
        quota_limit=quota_limit,
        quota_period=quota_period,
        quota_offset=quota_offset,
        quota_scope=quota_scope,
        quota_offline_allowance=quota_offline_allowance,
        counters_on_change=counters_on_change,
        request_log=request_log,
        position=position,
    )
    _check(plan)
    opened = _own_stages(plan, stages)
    with _name_once(plan):
        plan.save(force_insert=True)
    _open(plan, opened)
    record(
        organization=organization,
        actor=actor,
        action="plan.created",
        target=plan,
        summary=f"Made the plan {plan}.",
    )
    plans_changed.send(UsagePlan, plan_ids=[plan.pk])
    return plan


@transaction.atomic
def change_plan(*, plan: UsagePlan, actor: User | None, **fields: Any) -> UsagePlan:
    """Change any of `create_plan`'s fields (`stages` replaces the whole list)."""
    plan = locked(plan)
    stages = fields.pop("stages", None)
    changes = assign(plan, fields, allowed=CHANGEABLE)
    _check(plan)
    if stages is not None:
        changes |= _change_stages(plan, _own_stages(plan, stages))
    if not changes:
        return plan
    with _name_once(plan):
        plan.save(update_fields=[name for name in changes if name != "stages"])
    record(
        organization=plan.organization,
        actor=actor,
        action="plan.changed",
        target=plan,
        summary=f"Changed {', '.join(changes)} of the plan {plan}.",
        changes=changes,
    )
    plans_changed.send(UsagePlan, plan_ids=[plan.pk])
    return plan


def archive_plan(*, plan: UsagePlan, actor: User | None) -> UsagePlan:
    """Take the plan off the website: no new subscriptions; those that run, run on."""
    return change_plan(plan=plan, actor=actor, visibility=PlanVisibility.ARCHIVED)


@transaction.atomic
def delete_plan(*, plan: UsagePlan, actor: User | None) -> None:
    """Delete a plan that was never subscribed to; otherwise Refused (archive it)."""
    plan = locked(plan)
    if plan.subscriptions.exists() or plan.coming_subscriptions.exists() or plan.changes_from.exists():
        raise Refused(
            f"{plan} has subscriptions, and their usage and bills name it. Archive it instead.",
            code="in_use",
        )
    record(
        organization=plan.organization,
        actor=actor,
        action="plan.deleted",
        target=plan,
        summary=f"Deleted the plan {plan}.",
    )
    plan_id = plan.pk
    plan.delete()
    plans_changed.send(UsagePlan, plan_ids=[plan_id])


def _check(plan: UsagePlan) -> None:
    check_fields(plan)
    check_limits(plan)


def _name_once(plan: UsagePlan) -> Any:
    message = f"There is a plan named {plan.name} already; choose another name."
    return taken_is_refused(message, field="name")


def _own_stages(plan: UsagePlan, stages: Iterable[Stage]) -> list[Stage]:
    """A provider sells her own stages only."""
    chosen = {stage.pk: stage for stage in stages}
    for stage in chosen.values():
        if stage.organization_id != plan.organization_id:
            raise Refused(
                f"The stage {stage} is not of {plan.organization}; a plan opens its own organization's "
                "stages.",
                field="stages",
            )
    return list(chosen.values())


def _change_stages(plan: UsagePlan, stages: Sequence[Stage]) -> Changes:
    before = {stage.pk: stage for stage in plan.stages.select_related("version__api")}
    after = {stage.pk: stage for stage in stages}
    if before.keys() == after.keys():
        return {}
    added = [stage for pk, stage in after.items() if pk not in before]
    refuse_overlap_of_subscribers(plan, added)
    PlanStage.objects.filter(plan=plan).exclude(stage__in=after).delete()
    plan.operation_throttles.exclude(stage__in=after).delete()
    _open(plan, added)
    return {"stages": [sorted(map(str, before.values())), sorted(map(str, after.values()))]}


def _open(plan: UsagePlan, stages: Iterable[Stage]) -> None:
    PlanStage.objects.bulk_create(
        PlanStage(organization_id=plan.organization_id, plan=plan, stage=stage) for stage in stages
    )
