"""Telling developers that a part of a quota is used: once for each part and quota window, by mail and webhook.

Candidates are windows that gave out enough to nodes; how much of that was used, the metered calls say, up to 5
seconds behind. Where each key has a quota of its own, what was given out counts as used.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.utils.timezone import now

from access.models import QuotaScope, SubscriptionState
from accounts.audit import record
from accounts.mail import mail_organization
from accounts.models import Organization, User
from accounts.percents import read_percents, usual_percents
from accounts.portal_address import portal_url
from accounts.webhooks.emit import emit_many
from metering.queries import quantities
from nodes.models import QuotaAlert, QuotaAlertRule, QuotaWindow
from nodes.queries import limit_of

CHUNK = 500  # windows
# of PostgreSQL's advisory locks: one worker at a time looks at quotas
LOCK = 4_207_001


@transaction.atomic
def set_quota_alerts(
    *, organization: Organization, percents: Sequence[int], mails: bool, actor: User | None
) -> QuotaAlertRule:
    """Choose at which percents (1 to 100; none = never) the organization is told of its quotas."""
    chosen = read_percents(percents, highest=100)
    rule, _ = QuotaAlertRule.objects.update_or_create(
        organization=organization, defaults={"percents": chosen, "mails": mails}
    )
    record(
        organization=organization,
        actor=actor,
        action="quota_alerts.changed",
        target=rule,
        summary=f"Quota alerts at {', '.join(f'{each} %' for each in chosen) or 'no part'}.",
    )
    return rule


def rule_of(organization: Organization) -> QuotaAlertRule:
    """Return what the organization chose, or what holds as usual (not saved)."""
    found = QuotaAlertRule.objects.filter(organization=organization).first()
    return found or QuotaAlertRule(organization=organization)


@transaction.atomic
def alert_quotas(*, at: datetime | None = None) -> list[QuotaAlert]:
    """Look at all running windows, once; nothing while another worker does. A few queries for 500 windows."""
    at = at or now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return []
    rules = {rule.organization_id: rule for rule in QuotaAlertRule.objects.all()}
    least = min([*usual_percents(), *(percent for rule in rules.values() for percent in rule.percents)])
    told: list[QuotaAlert] = []
    windows = _candidates(least, at).iterator(chunk_size=CHUNK)
    while chunk := list(islice(windows, CHUNK)):
        told += _tell(chunk, rules, at)
    return told


def _candidates(least: int, at: datetime) -> QuerySet[QuotaWindow]:
    plan = "subscription__plan__"
    return (
        QuotaWindow.objects.filter(
            starts_at__lte=at,
            ends_at__gt=at,
            period=F(plan + "quota_period"),
            subscription__state=SubscriptionState.ACTIVE,
            leased__gt=0,
            # no window's limit is less, so nothing is missed
            leased__gte=(F(plan + "quota_limit") - F(plan + "quota_offset") + F("extra")) * least / 100,
        )
        .select_related("subscription__plan", "subscription__application", "organization", "key")
        .order_by("pk")
    )


def _tell(windows: Sequence[QuotaWindow], rules: dict[str, QuotaAlertRule], at: datetime) -> list[QuotaAlert]:
    known = set(QuotaAlert.objects.filter(window__in=windows).order_by().values_list("window", "percent"))
    used = _used(windows)
    fresh = []
    for window in windows:
        limit, rule = limit_of(window.subscription, window), rules.get(window.organization_id)
        percents = rule.percents if rule else usual_percents()
        reached = [each for each in percents if used[window.pk] * 100 >= limit * each]
        fresh += [
            QuotaAlert(
                organization=window.organization,
                window=window,
                percent=percent,
                used=used[window.pk],
                limit=limit,
                at=at,
            )
            for percent in reached
            if (window.pk, percent) not in known
        ]
    QuotaAlert.objects.bulk_create(fresh)
    emit_many((each.organization_id, "quota.threshold_reached", event_data(each)) for each in fresh)
    # of several parts at once, the highest says it all
    for alert in {each.window_id: each for each in fresh}.values():
        rule = rules.get(alert.organization_id)
        if rule is None or rule.mails:
            _mail(alert)
    return fresh


def _used(windows: Iterable[QuotaWindow]) -> dict[int, int]:
    """Return the used calls of each window. A query for each kind of window (zone and period)."""
    found: dict[int, int] = {}
    spans: dict[tuple[datetime, datetime], list[QuotaWindow]] = defaultdict(list)
    for window in windows:
        if window.subscription.plan.quota_scope == QuotaScope.KEY:
            found[window.pk] = window.leased
        else:
            spans[window.starts_at, window.ends_at].append(window)
    for (start, end), members in spans.items():
        metered = quantities(
            subscription_ids=[each.subscription_id for each in members], start=start, end=end
        )
        found |= {each.pk: metered[each.subscription_id].calls for each in members}
    return found


def event_data(alert: QuotaAlert) -> dict[str, Any]:
    """Return what webhooks tell of it."""
    window, subscription = alert.window, alert.window.subscription
    return {
        "subscription": subscription.pk,
        "application": subscription.application_id,
        "plan": subscription.plan_id,
        "key": window.key_id,
        "percent": alert.percent,
        "used": alert.used,
        "limit": alert.limit,
        "starts_at": window.starts_at.isoformat(),
        "ends_at": window.ends_at.isoformat(),
    }


def _mail(alert: QuotaAlert) -> None:
    window, subscription = alert.window, alert.window.subscription
    of_key = f" with the key {window.key}" if window.key_id else ""
    mail_organization(
        alert.organization,
        subject=f"{alert.percent} % of the quota of {subscription} is used",
        text=f"{alert.used:,} of {alert.limit:,} calls of {subscription}{of_key} are used. "
        f"The quota starts anew {window.ends_at:%Y-%m-%d %H:%M} UTC; until then further calls are refused once "
        f"it is used up.\n\nUsage: {portal_url()}/console/usage/?application={subscription.application_id}\n",
    )
