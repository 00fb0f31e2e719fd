"""Is this key valid? Judged from the rows, at one moment; nothing is consumed.

A key is valid if and only if the key, its application, the organizations on both sides, the
subscription and the version are, and it is used from where it may be. The order of judging: existence, state,
expiry, scope, place. The gate judges the same from its entries (gateway/lua/judge.lua).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.timezone import now

from access.keys import parse_key
from access.models import (
    ApiKey,
    Application,
    ApplicationState,
    KeyState,
    Subscription,
    SubscriptionState,
    UsagePlan,
)
from access.origins import ip_allowed, referrer_allowed
from access.verdicts import KeyVerdict
from accounts.models import Organization
from apis.models import Stage, VersionState

# of several subscriptions that open the stage, the one that says most about the present
_MOST_TELLING = (
    SubscriptionState.ACTIVE,
    SubscriptionState.PENDING,
    SubscriptionState.SUSPENDED,
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is said of a key, and the rows it was judged from (None where judging did not get that far)."""

    code: KeyVerdict
    message: str
    key: ApiKey | None = None
    application: Application | None = None
    subscription: Subscription | None = None
    plan: UsagePlan | None = None

    @property
    def valid(self) -> bool:
        return self.code is KeyVerdict.VALID


def verify_key(
    text: str,
    *,
    stage: Stage | None,
    viewer: Organization | None,
    at: datetime | None = None,
    client_ip: str = "",
    referrer: str = "",
) -> Verdict:
    """Judge the key for calls to `stage` at the moment `at` (default: now).

    `stage` None = judge key, application and organization only. `viewer` is the organization that asks:
    a key that is neither its own nor of one of its subscribers is NOT_FOUND for it; None = Gatehouse or
    a superuser, who sees every key. `client_ip` and `referrer` ('' = not told) tell where the key is used.
    Two queries at most, three when a viewer asks.
    """
    if not text:
        return _say(KeyVerdict.MISSING)
    parsed = parse_key(text)
    if parsed is None:
        return _say(KeyVerdict.MALFORMED)
    key = ApiKey.objects.select_related("organization", "application").filter(hash=parsed.hash).first()
    if key is None or not _may_see(viewer, key):
        return _say(KeyVerdict.NOT_FOUND)
    at = at or now()
    verdict = _judge_key(key, at)
    if verdict is None and stage is not None:
        verdict = _judge_scope(key, stage)
    if verdict is None or verdict.valid:
        verdict = replace(verdict or _say(KeyVerdict.VALID), **_judge_place(key, client_ip, referrer))
    return replace(verdict, key=key, application=key.application)


def _may_see(viewer: Organization | None, key: ApiKey) -> bool:
    if viewer is None or viewer.pk == key.organization_id:
        return True
    return Subscription.objects.filter(application=key.application_id, provider=viewer).exists()


def _judge_key(key: ApiKey, at: datetime) -> Verdict | None:
    """Return what is wrong with the key itself, its application or its organization, or None.

    A key works from `not_before` on, and no longer at the very moment of a deadline.
    """
    checks = (
        (key.state == KeyState.REVOKED, KeyVerdict.REVOKED),
        (key.state == KeyState.DISABLED, KeyVerdict.DISABLED),
        (key.application.state == ApplicationState.SUSPENDED, KeyVerdict.APPLICATION_SUSPENDED),
        (key.organization.suspended_at is not None, KeyVerdict.ACCOUNT_SUSPENDED),
        (key.not_before is not None and at < key.not_before, KeyVerdict.NOT_YET_VALID),
        (key.expires_at is not None and at >= key.expires_at, KeyVerdict.EXPIRED),
        (key.grace_until is not None and at >= key.grace_until, KeyVerdict.ROTATED_OUT),
    )
    return next((_say(code) for wrong, code in checks if wrong), None)


def _judge_place(key: ApiKey, client_ip: str, referrer: str) -> dict[str, Any]:
    """Return code and message when the key may not be used from there."""
    if not ip_allowed(key.ips, client_ip):
        code = KeyVerdict.IP_NOT_ALLOWED
    elif not referrer_allowed(key.referrers, referrer):
        code = KeyVerdict.REFERRER_NOT_ALLOWED
    else:
        return {}
    return {"code": code, "message": code.message}


def _judge_scope(key: ApiKey, stage: Stage) -> Verdict:
    """Judge whether the application may call this stage."""
    candidates = Subscription.objects.filter(
        Q(plan__plan_stages__stage=stage), application=key.application_id
    ).exclude(state=SubscriptionState.CANCELLED)
    candidates = candidates.select_related("plan", "provider", "plan__organization")
    subscription = _most_telling(candidates)
    verdict = _judge_subscription(subscription, stage)
    if subscription is None:
        return verdict
    return replace(verdict, subscription=subscription, plan=subscription.plan)


def _most_telling(candidates: Iterable[Subscription]) -> Subscription | None:
    ordered = sorted(
        candidates, key=lambda found: (_MOST_TELLING.index(SubscriptionState(found.state)), found.pk)
    )
    return ordered[0] if ordered else None


def _judge_subscription(subscription: Subscription | None, stage: Stage) -> Verdict:
    if subscription is None:
        return _say(KeyVerdict.NOT_SUBSCRIBED)
    if subscription.state == SubscriptionState.PENDING:
        return _say(KeyVerdict.SUBSCRIPTION_PENDING)
    if subscription.state == SubscriptionState.SUSPENDED:
        return _say(KeyVerdict.NOT_SUBSCRIBED, "The subscription that opens this stage is suspended.")
    if subscription.provider.suspended_at is not None:
        return _say(KeyVerdict.ACCOUNT_SUSPENDED, "The provider of this API is suspended.")
    if stage.version.state == VersionState.RETIRED:
        return _say(KeyVerdict.API_RETIRED)
    return _say(KeyVerdict.VALID)


def _say(code: KeyVerdict, message: str = "") -> Verdict:
    return Verdict(code, message or code.message)
