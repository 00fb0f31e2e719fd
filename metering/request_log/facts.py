"""What the settings say of the checks of one call: the rules in words, and which checks were not used."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from access.models import ApiKey, PlanThrottle, Subscription
from apis.models import Operation, Stage
from apis.policy import effective
from apis.stage_policies import LEVELS, policy_levels
from metering.models import RequestLine
from metering.request_log.rate_limit import read_limits
from metering.request_log.steps import Facts

LEVEL_NAMES = {
    "stage_operation": "of this operation on the stage",
    "document_operation": "of this operation in the API's document",
    "stage": "of the stage",
    "document": "of the API's document",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A call and what it names, as far as it is still there. `for_provider` = who reads it may see the API's rules."""

    line: RequestLine
    stage: Stage | None
    operation: Operation | None
    key: ApiKey | None
    subscription: Subscription | None
    for_provider: bool


def facts_of(subject: Subject) -> Facts:
    """Return the facts; load the stage's deployment and its version's backend, and the subscription's plan."""
    rules: dict[str, str] = {}
    passed = _passed(subject)
    unused: set[str] = set()
    if subject.operation and not subject.operation.key_required:
        unused |= {"key", "subscription"}
    throttles = _rules_of_stage(subject, rules, unused) + _throttles(subject)
    if throttles:
        rules["throttle"] = "; ".join(throttles)
    else:
        unused.add("throttle")
    _counters(subject, rules, passed, unused)
    if subject.line.method not in ("GET", "HEAD"):
        unused.add("cache")
    return Facts(rules, passed, frozenset(unused))


def _passed(subject: Subject) -> dict[str, str]:
    subscription, found = subject.subscription, {}
    if subject.stage:
        found["address"] = f"{subject.line.host} leads to {subject.stage}."
    if subject.operation:
        found["operation"] = str(subject.operation)
    if subject.key:
        found["key"] = str(subject.key)
    if subscription:
        found["subscription"] = f"{subscription.application.name}, plan {subscription.plan.name}"
    return found


def _rules_of_stage(subject: Subject, rules: dict[str, str], unused: set[str]) -> list[str]:
    """Note the rules of the policies; returns the operation's throttle, if it has one."""
    stage, operation = subject.stage, subject.operation
    if stage is None or operation is None:
        return []
    levels = policy_levels(stage, operation)
    policy = effective(levels[name] for name in LEVELS)
    if not _has_authorizer(stage, operation):
        unused.add("authorizer")
    if "ip" not in policy:
        unused.add("networks")
    elif subject.for_provider:
        rules["networks"] = f"{_networks(policy['ip'])}, {_level(levels, 'ip')}"
    if "cache" not in policy:
        unused.add("cache")
    else:
        rules["cache"] = f"kept for {policy['cache']['ttl']} s, {_level(levels, 'cache')}"
    if "max_body" in policy:
        rules["request"] = f"a body of at most {policy['max_body']:,} bytes, {_level(levels, 'max_body')}"
    if "timeout_ms" in policy:
        rules["backend"] = f"at most {policy['timeout_ms']:,} ms, {_level(levels, 'timeout_ms')}"
    elif backend := stage.version.backend:
        rules["backend"] = f"at most {backend.timeout_ms:,} ms, of the backend"
    throttle = policy.get("throttle")
    if not throttle:
        return []
    return [f"{_rate(throttle['rate'], throttle['burst'])}, {_level(levels, 'throttle')}"]


def _has_authorizer(stage: Stage, operation: Operation) -> bool:
    compiled = stage.deployment.compiled if stage.deployment else {}
    return any(
        each.get("authorizer") for each in compiled.get("operations", ()) if each["id"] == operation.pk
    )


def _networks(ip: Mapping[str, Any]) -> str:
    return "; ".join(f"{word} {', '.join(ip[word])}" for word in ("allow", "deny") if ip.get(word))


def _level(levels: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """Name the most specific level that says something of a field: it decides."""
    return next((LEVEL_NAMES[level] for level in LEVELS if name in (levels[level] or {})), "")


def _rate(rate: float, burst: int | None) -> str:
    return f"{rate:g} a second, {burst or 0:,} at once"


def _throttles(subject: Subject) -> list[str]:
    """The throttles of the whole stage and of the plan."""
    stage, subscription = subject.stage, subject.subscription
    found = []
    if stage and stage.throttle_rate is not None:
        found.append(f"{_rate(stage.throttle_rate, stage.throttle_burst)}, of the whole stage")
    if subscription and subscription.plan.throttle_rate is not None:
        plan = subscription.plan
        found.append(f"{_rate(subscription.plan.throttle_rate, plan.throttle_burst)}, of the plan")
    narrow = _plan_throttle(subject)
    if narrow:
        found.append(f"{_rate(narrow.rate, narrow.burst)}, of the plan for this operation")
    return found


def _plan_throttle(subject: Subject) -> PlanThrottle | None:
    """The plan's own throttle of the operation, else that of all operations of the stage."""
    if not (subject.subscription and subject.stage and subject.operation):
        return None
    rows = PlanThrottle.objects.filter(plan=subject.subscription.plan, stage=subject.stage)
    found = {each.operation_id: each for each in rows}
    return found.get(subject.operation.pk) or found.get(None)


def _counters(subject: Subject, rules: dict[str, str], passed: dict[str, str], unused: set[str]) -> None:
    """What was left of the plan's limits, as the caller was told, and the quota as it was."""
    line, subscription = subject.line, subject.subscription
    shown = {each.name: each for each in read_limits(line.limit_policy, line.limit_left)}
    left = [shown[name].left for name in ("operation", "plan") if name in shown]
    if left:
        passed["throttle"] = f"{min(left):,} more at once were left."
    quota = shown.get("quota")
    if quota:
        rules["quota"] = f"{quota.limit:,} calls in {quota.window_words}, of the plan"
        passed["quota"] = f"{quota.left:,} calls were left."
    elif subscription is None or subscription.plan.quota_limit is None:
        unused.add("quota")
