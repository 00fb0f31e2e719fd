"""What can be changed of a stage without a deployment: it holds at once."""

import math
import re
from collections.abc import Callable
from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from apis.limits import limits
from apis.models import Operation, RequestLogging, Stage
from apis.policy import read_access_log, read_compress_from, read_policy
from apis.refusals import policies_are_refused
from apis.signals import stages_changed

# names and values of stage variables that Amazon API Gateway takes
VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}\Z")
VARIABLE_VALUE = re.compile(r"[A-Za-z0-9\-._~:/?#&=,]{0,512}\Z")


def change_stage(*, stage: Stage, actor: User | None, **settings: Any) -> Stage:
    """Change variables, throttle_rate, throttle_burst, policy, operation_policies, access_log, compress_from,
    request_log (one of `RequestLogging`).

    Holds at once, without a deployment. `policy` and the policies of `operation_policies` ({operation id:
    policy}) are as `apis.policy.read_policy` takes them, and are the whole new ones. Refused: the field, for
    policies with its path (`policy.cache.ttl`).
    """
    unknown = settings.keys() - set(SETTINGS)
    if unknown:
        raise TypeError(f"a stage has no setting {', '.join(sorted(unknown))}")

    def edit(row: Stage) -> None:
        for name, value in settings.items():
            reader = SETTINGS[name]
            setattr(row, name, reader(row, value) if reader else value)
        check_throttle(row)

    return change(stage, actor, "stage.changed", f"Changed the settings of {stage}", edit)


def set_operation_policy(
    *, stage: Stage, operation: Operation, policy: dict[str, Any] | None, actor: User | None
) -> Stage:
    """Give one operation a policy of its own on this stage; None or {} takes it away."""
    if operation.version_id != stage.version_id:
        raise Refused("This operation belongs to another version.", field="operation")
    with policies_are_refused():
        read = read_policy(policy or {}, "policy", limits())

    def edit(row: Stage) -> None:
        rest = {name: each for name, each in row.operation_policies.items() if name != operation.pk}
        row.operation_policies = rest | ({operation.pk: read} if read else {})

    return change(stage, actor, "stage.changed", f"Changed the policy of {operation} on {stage}", edit)


def flush_cache(*, stage: Stage, actor: User | None) -> Stage:
    """Make worthless what nodes have kept for the stage: cached answers, and policies of Lambda authorizers."""

    def edit(row: Stage) -> None:
        row.cache_epoch += 1

    return change(stage, actor, "stage.cache_flushed", f"Flushed the cache of {stage}", edit)


@transaction.atomic
def change(
    stage: Stage, actor: User | None, action: str, summary: str, edit: Callable[[Stage], None]
) -> Stage:
    """Lock the stage, let `edit` change it, write what differs and announce it."""
    before = Stage.objects.select_for_update(of=("self",)).get(pk=stage.pk)
    stage.refresh_from_db()
    edit(stage)
    names = [
        field.attname
        for field in Stage._meta.concrete_fields
        if field.editable or field.name == "cache_epoch"
    ]
    changes = {
        name: [getattr(before, name), getattr(stage, name)]
        for name in names
        if getattr(before, name) != getattr(stage, name)
    }
    if changes:
        stage.save(update_fields=[*changes, "updated_at"])
        audit(stage, actor, action, summary, changes)
        stages_changed.send(sender=Stage, stage_ids=[stage.pk])
    return stage


def check_variables(variables: Any, field: str = "variables") -> dict[str, str]:
    """Return stage variables if Amazon API Gateway would take them."""
    if not isinstance(variables, dict):
        raise Refused("Stage variables are an object of names and texts.", field=field)
    for name, value in variables.items():
        if not isinstance(name, str) or not VARIABLE_NAME.match(name):
            message = f"{str(name)[:40]!r} is no name: use letters, digits and underscores, at most 64."
            raise Refused(message, field=field)
        if not isinstance(value, str) or not VARIABLE_VALUE.match(value):
            message = f"The value of {name} must be a text of letters, digits and -._~:/?#&=, only."
            raise Refused(message, field=field)
    return variables


def check_throttle(stage: Stage) -> None:
    """Refuse half a throttle, and numbers that are none."""
    rate, burst = stage.throttle_rate, stage.throttle_burst
    if rate is None and burst is None:
        return
    if rate is None or burst is None:
        field = "throttle_burst" if burst is None else "throttle_rate"
        raise Refused("Give both a rate and a burst, or neither.", field=field)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not math.isfinite(rate) or rate < 0:
        raise Refused("The rate is a number of calls a second, 0 or more.", field="throttle_rate")
    if isinstance(burst, bool) or not isinstance(burst, int) or not 0 <= burst <= 2_000_000_000:
        raise Refused("The burst is a whole number of calls, 0 or more.", field="throttle_burst")


def _policy(_stage: Stage, value: Any) -> dict[str, Any]:
    with policies_are_refused():
        return read_policy(value if value is not None else {}, "policy", limits())


def _operation_policies(stage: Stage, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Refused("Give an object of operation ids and policies.", field="operation_policies")
    known = set(Operation.objects.filter(version=stage.version_id, pk__in=value).values_list("pk", flat=True))
    read = {}
    for name, policy in value.items():
        at = f"operation_policies.{str(name)[:20]}"
        # an operation that was removed since keeps what it had, for the case that it comes back
        if name not in known and name not in stage.operation_policies:
            raise Refused(f"This version has no operation {str(name)[:20]}.", field=at)
        with policies_are_refused():
            read[name] = read_policy(policy if policy is not None else {}, at, limits())
    return {name: policy for name, policy in read.items() if policy}


def _access_log(_stage: Stage, value: Any) -> str:
    with policies_are_refused():
        return read_access_log(value, "access_log")


def _compress_from(_stage: Stage, value: Any) -> int | None:
    with policies_are_refused():
        return read_compress_from(value, "compress_from")


def _request_log(_stage: Stage, value: Any) -> str:
    if value not in RequestLogging.values:
        raise Refused(f"Choose one of {', '.join(RequestLogging.values)}.", field="request_log")
    return str(value)


# what reads the new value; None = checked with the others
SETTINGS: dict[str, Callable[[Stage, Any], Any] | None] = {
    "variables": lambda _stage, value: check_variables(value),
    "throttle_rate": None,
    "throttle_burst": None,
    "policy": _policy,
    "operation_policies": _operation_policies,
    "access_log": _access_log,
    "compress_from": _compress_from,
    "request_log": _request_log,
}


def audit(stage: Stage, actor: User | None, action: str, summary: str, changes: dict[str, Any]) -> None:
    """Write the audit line of a change of a stage."""
    record(
        organization=stage.organization,
        actor=actor,
        action=action,
        target=stage,
        summary=summary,
        changes=changes,
    )
