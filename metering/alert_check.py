"""Looks at alerts, and tells of crossings: once when it begins and once when it is over, by mail and webhook."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils.timezone import now

from accounts.mail import mail_organization
from accounts.portal_address import portal_url
from accounts.webhooks.emit import emit_many
from metering.models import AlertMetric, UsageAlert, UsageAlertNotice
from metering.pieces import floor
from metering.queries import Bucket, Scope, Span, seconds_behind, series

# nodes bring a minute's counts so soon after it is over
LATE = timedelta(seconds=15)
# counts that wait longer say nothing about the last minutes
MOST_BEHIND = 30.0
# of PostgreSQL's advisory locks: one worker at a time looks
LOCK = 4_207_011
_VALUES: dict[str, Callable[[Bucket], float | None]] = {
    AlertMetric.CALLS: lambda b: b.calls,
    AlertMetric.SHARE_4XX: lambda b: 100 * b.errors_4xx / b.calls if b.calls else None,
    AlertMetric.SHARE_5XX: lambda b: 100 * b.errors_5xx / b.calls if b.calls else None,
    AlertMetric.P90: lambda b: b.p90,
    AlertMetric.P99: lambda b: b.p99,
    AlertMetric.INTEGRATION: lambda b: b.integration_average,
    AlertMetric.CACHE_HITS: lambda b: None if b.cache_hit_rate is None else 100 * b.cache_hit_rate,
    AlertMetric.BYTES_OUT: lambda b: b.bytes_out,
}


@transaction.atomic
def check_alerts(*, at: datetime | None = None) -> list[UsageAlertNotice]:
    """Look at all alerts once, one query each; nothing while another worker does, or while counts are behind.

    A crossing begins when all of the last whole minutes are beyond the threshold, and is over when none is. A minute
    without calls has no latency and no shares, so it is not beyond.
    """
    at = at or now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        if not cursor.fetchone()[0]:
            return []
    if seconds_behind() > MOST_BEHIND:
        return []
    alerts = UsageAlert.objects.select_related("organization").select_for_update(of=("self",)).order_by("pk")
    fresh = [notice for alert in alerts if (notice := _look(alert, at)) is not None]
    UsageAlert.objects.bulk_update([each.alert for each in fresh], ["since"])
    UsageAlertNotice.objects.bulk_create(fresh)
    emit_many((each.organization_id, _event(each), event_data(each)) for each in fresh)
    for each in fresh:
        if each.alert.mails:
            _mail(each)
    return fresh


def event_data(notice: UsageAlertNotice) -> dict[str, Any]:
    """Return what webhooks tell of it."""
    alert = notice.alert
    return {
        "alert": alert.pk,
        "name": alert.name,
        "metric": alert.metric,
        "scope": alert.scope,
        "about": alert.about,
        "below": alert.below,
        "threshold": f"{notice.threshold.normalize():f}",
        "minutes": alert.minutes,
        "value": notice.value,
        "at": notice.at.isoformat(),
    }


def _look(alert: UsageAlert, at: datetime) -> UsageAlertNotice | None:
    """Return the notice that is due, with the alert's new state set, not saved."""
    end = floor(at - LATE, 60)
    span = Span(end - timedelta(minutes=alert.minutes), end)
    buckets = series(scope=_scope(alert), span=span, step="minute")
    values = [_VALUES[alert.metric](each) for each in buckets]
    beyond = [_is_beyond(alert, value) for value in values]
    if alert.since is None and all(beyond):
        alert.since = span.start
    elif alert.since is not None and not any(beyond):
        alert.since = None
    else:
        return None
    return _notice(alert, values, at)


def _is_beyond(alert: UsageAlert, value: float | None) -> bool:
    if value is None:
        return False
    return value < alert.threshold if alert.below else value > alert.threshold


def _notice(alert: UsageAlert, values: Sequence[float | None], at: datetime) -> UsageAlertNotice:
    return UsageAlertNotice(
        organization=alert.organization,
        alert=alert,
        resolved=alert.since is None,
        value=values[-1],
        threshold=alert.threshold,
        at=at,
    )


def _scope(alert: UsageAlert) -> Scope:
    part: dict[str, Any] = {alert.scope: alert.about} if alert.scope else {}
    return Scope(provider=alert.organization_id, **part)


def _event(notice: UsageAlertNotice) -> str:
    return "usage_alert.resolved" if notice.resolved else "usage_alert.crossed"


def _mail(notice: UsageAlertNotice) -> None:
    alert = notice.alert
    side = "below" if alert.below else "above"
    label = AlertMetric(alert.metric).label
    value = "no calls" if notice.value is None else f"{notice.value:,.6g}"
    limit = f"{notice.threshold.normalize():,f}"
    told = "is no longer" if notice.resolved else f"was for {alert.minutes} min"
    place = f"traffic/{alert.scope}/{alert.about}/" if alert.scope else ""
    mail_organization(
        alert.organization,
        subject=f"{'Resolved' if notice.resolved else 'Alert'}: {alert}",
        text=f"{label}: {told} {side} {limit}; in the last minute it was {value}.\n\n"
        f"Dashboard: {portal_url()}/provider/{place}?organization={alert.organization_id}&span=1h\n"
        f"Alerts: {portal_url()}/provider/alerts/?organization={alert.organization_id}\n",
    )
