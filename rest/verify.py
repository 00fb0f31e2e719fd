"""The answer of `POST keys/verify`: the verdict of `access.verify` with its limits, ready for JSON.

The gate answers the same (gateway/lua/verify.lua); one suite of tests asks both.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from rest_framework.exceptions import ValidationError

from access.keys import parse_key
from access.models import ApiKey, QuotaScope, UsagePlan
from access.verdicts import KeyVerdict
from access.verify import Verdict, verify_key
from apis.models import Deployment, Stage
from metering.queries import quantities
from nodes.entries import newest_generation
from nodes.queries import quota_state_of
from rest.caller import Caller
from rest.operation_match import find_operation
from rest.serializers.verify_input import names_a_stage

TTL = timedelta(seconds=5)
NO_API = "Among the APIs that you provide, none has this api, version and stage."
QUOTA_NAMES = {"DAY": "daily", "WEEK": "weekly", "MONTH": "monthly"}


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict with the stage that it is about (None = the key alone was judged)."""

    verdict: Verdict
    stage: Stage | None
    at: datetime


def judge(caller: Caller, asked: dict[str, Any], at: datetime) -> Judged:
    """Judge a key for a stage that the caller provides. Both unknown: NOT_FOUND, so nothing leaks."""
    text = asked["key"]
    viewer = None if caller.everything else caller.organization
    stage = None
    if parse_key(text) is not None and names_a_stage(asked):
        stage = find_stage(caller, asked)
        if stage is None:
            return Judged(Verdict(KeyVerdict.NOT_FOUND, NO_API), None, at)
    place = {"client_ip": asked.get("client_ip", ""), "referrer": asked.get("referrer", "")}
    return Judged(verify_key(text, stage=stage, viewer=viewer, at=at, **place), stage, at)


def find_stage(caller: Caller, asked: dict[str, Any]) -> Stage | None:
    """Return the deployed stage that is meant, or None; raises ValidationError when several are.

    Names are an API's own: without `api` a version, and without both a stage, is meant by its id.
    """
    rows: QuerySet[Stage] = caller.visible(Stage).select_related("version__api").defer("version__document")
    rows = rows.filter(deployment__isnull=False)
    api, version = asked.get("api"), asked.get("version")
    stage, by_name = Q(pk=asked["stage"]), Q(name=asked["stage"])
    if api:
        rows = rows.filter(Q(version__api=api) | Q(version__api__slug=api))
        by_version = Q(version=version) | Q(version__name=version) if version else Q()
        rows = rows.filter(by_version, stage | by_name)
    elif version:
        rows = rows.filter(stage | by_name, version=version)
    else:
        rows = rows.filter(stage)
    found = list(rows[:2])
    if len(found) < 2:
        return found[0] if found else None
    field = "stage" if version else "version"
    raise ValidationError({field: f"Several stages fit; name the {field}."}, code="ambiguous")


def answer(judged: Judged, asked: dict[str, Any], request_id: str) -> dict[str, Any]:
    """Build what `VerdictSerializer` writes."""
    verdict, stage, at = judged.verdict, judged.stage, judged.at
    key = verdict.key
    limits, subscription = _limits(judged)
    return {
        "valid": verdict.valid,
        "code": verdict.code.code,
        "message": verdict.message,
        "request_id": request_id,
        "consumed": False,
        "key": key,
        "application": verdict.application,
        "account": _account(key),
        "subscription": subscription,
        "api": _api(stage),
        "operation": _operation(stage, asked),
        "limits": limits,
        "binding_limit": binding["name"] if (binding := binding_limit(limits)) else None,
        "cache": {"ttl_s": _ttl(key, at), "generation": newest_generation()},
    }


def _account(key: ApiKey | None) -> dict[str, Any] | None:
    if key is None:
        return None
    developer = key.organization
    state = "suspended" if developer.suspended_at else "active"
    return {"id": developer.pk, "name": developer.name, "state": state}


def _api(stage: Stage | None) -> dict[str, Any] | None:
    if stage is None:
        return None
    version = stage.version
    return {
        "id": version.api_id,
        "slug": version.api.slug,
        "version": version.name,
        "version_id": version.pk,
        "stage": stage.name,
        "stage_id": stage.pk,
        "lifecycle": version.state,
        "sunset_at": version.sunset_at,
    }


def _operation(stage: Stage | None, asked: dict[str, Any]) -> dict[str, Any] | None:
    if stage is None or stage.deployment_id is None or "path" not in asked:
        return None
    compiled = Deployment.objects.values_list("compiled", flat=True).get(pk=stage.deployment_id)
    return find_operation(compiled["operations"], asked.get("method", "GET"), asked["path"])


def _limits(judged: Judged) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """Return the plan's limits, and the subscription with the window in which its quota counts."""
    subscription, plan, key = judged.verdict.subscription, judged.verdict.plan, judged.verdict.key
    if subscription is None or plan is None or key is None:
        return [], None
    start: datetime | None = None
    end: datetime | None = None
    limits = []
    if plan.throttle_rate is not None:
        limits.append(_rate(plan.throttle_rate, plan.throttle_burst))
    if plan.quota_limit is not None:
        subscription.organization = key.organization
        by_key = plan.quota_scope == QuotaScope.KEY
        quota_key = (key.origin_id or key.pk) if by_key else None
        state = quota_state_of(subscription, key_id=quota_key, at=judged.at)
        start, end = state.starts_at, state.ends_at
        # rotations of a key count as one: of them only what nodes were given is known
        used = state.leased if by_key else _metered(subscription.pk, start, end)
        limits.append(_quota(plan, max(0, state.limit or 0), used, (start, end), judged.at))
    facts = {
        "id": subscription.pk,
        "state": subscription.state,
        "plan": plan.pk,
        "plan_name": plan.name,
        "started_at": subscription.started_at,
        "period_start": start,
        "period_end": end,
    }
    return limits, facts


def _metered(subscription_id: str, start: datetime, end: datetime) -> int:
    return quantities(subscription_ids=[subscription_id], start=start, end=end)[subscription_id].calls


def binding_limit(limits: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the limit that ends first: an exceeded one, else that with the smallest part left."""

    def part(each: dict[str, Any]) -> float:
        return -1.0 if each["exceeded"] else float(each["remaining"]) / float(each["burst"] or each["limit"])

    known = [each for each in limits if each["exceeded"] or each["remaining"] is not None]
    return min(known, key=part, default=None)


def _rate(rate: float, burst: int | None) -> dict[str, Any]:
    return {
        "name": "rate",
        "kind": "rate",
        "metric": "requests",
        "scope": "subscription",
        "limit": rate,
        "burst": burst,
        "used": None,
        "remaining": None,
        "window_s": 1,
        "resets_at": None,
        "reset_after_s": None,
        "exceeded": rate == 0,
        "source": "plan",
        "accuracy": {"mode": "per_node"},
    }


def _quota(
    plan: UsagePlan, limit: int, used: int, span: tuple[datetime, datetime], at: datetime
) -> dict[str, Any]:
    start, end = span
    return {
        "name": QUOTA_NAMES[plan.quota_period],
        "kind": "quota",
        "metric": "requests",
        "scope": plan.quota_scope,
        "limit": limit,
        "burst": None,
        "used": used,
        "remaining": max(0, limit - used),
        "window_s": int(end.timestamp() - start.timestamp()),
        "resets_at": end,
        "reset_after_s": int(end.timestamp() - at.timestamp()),
        "exceeded": used >= limit,
        "source": "plan",
        "accuracy": {"mode": "delayed"},
    }


def _ttl(key: ApiKey | None, at: datetime) -> int:
    """Seconds for which the verdict may be kept: never across a deadline of the key."""
    deadlines = [key.not_before, key.expires_at, key.grace_until] if key else []
    ahead = [deadline - at for deadline in deadlines if deadline and deadline > at]
    return int(min([TTL, *ahead]).total_seconds())
