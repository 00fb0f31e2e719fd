"""Which calls are billed: a setting of each provider, by verdict and status class, from a moment on."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.utils.timezone import now

from access.models import Subscription
from accounts.any_of import any_of
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import taken_is_refused
from metering.dimensions import VERDICT
from metering.models import BillableRule
from metering.queries import BILLABLE_VERDICTS

STATUS_CLASSES = (1, 2, 3, 4, 5)
Rule = tuple[tuple[str, ...], tuple[int, ...]]
# AWS's: what reached the backend is billed, whatever it answered
DEFAULT: Rule = (BILLABLE_VERDICTS, STATUS_CLASSES)


@transaction.atomic
def set_billable(
    *,
    organization: Organization,
    verdicts: Collection[str],
    status_classes: Collection[int],
    actor: User | None,
    effective_from: datetime | None = None,
) -> BillableRule:
    """Bill calls of the provider's APIs with one of the verdicts and one of the status classes (1 to 5).

    Holds from a whole minute on, by default the next; never from the past, so no bill of it moves. `verdicts` are
    names of gateway/verdicts.json, '' = the backend answered. An empty list bills nothing.
    """
    odd = sorted(name for name in verdicts if name and not VERDICT.fullmatch(name))
    if odd:
        raise Refused(f"{odd[0]} is not a verdict, such as THROTTLED.", field="verdicts")
    if not set(status_classes) <= set(STATUS_CLASSES):
        raise Refused("Status classes are numbers from 1 to 5 (2 = all 2xx).", field="status_classes")
    rule = BillableRule(
        organization=organization,
        effective_from=_moment(effective_from),
        verdicts=sorted(set(verdicts)),
        status_classes=sorted(set(status_classes)),
    )
    with taken_is_refused("Another rule begins in that minute; choose another.", field="effective_from"):
        rule.save(force_insert=True)
    record(
        organization=organization,
        actor=actor,
        action="billable_rule.created",
        target=rule,
        summary=f"Set which calls are billed from {rule.effective_from:%Y-%m-%d %H:%M} UTC on.",
        changes={"verdicts": [None, rule.verdicts], "status_classes": [None, rule.status_classes]},
    )
    return rule


@transaction.atomic
def withdraw_billable(*, rule: BillableRule, actor: User | None) -> None:
    """Delete a rule that does not hold yet."""
    rule = BillableRule.objects.select_for_update().get(pk=rule.pk)
    if rule.effective_from <= now():
        raise Refused("This rule holds already. Set a new one; bills of the past do not move.")
    record(
        organization=rule.organization,
        actor=actor,
        action="billable_rule.withdrawn",
        target=rule,
        summary=f"Withdrew which calls were to be billed from {rule.effective_from:%Y-%m-%d %H:%M} UTC on.",
    )
    rule.delete()


def rules_of(subscription_ids: Iterable[str]) -> dict[str, list[tuple[datetime, Rule]]]:
    """Return subscription id -> its provider's rules, oldest first; without one it is absent. One query."""
    sold = Subscription.objects.filter(
        any_of("id", subscription_ids), provider__billable_rules__isnull=False
    ).order_by("pk", "provider__billable_rules__effective_from")
    found: dict[str, list[tuple[datetime, Rule]]] = {}
    for pk, at, verdicts, classes in sold.values_list(
        "pk",
        "provider__billable_rules__effective_from",
        "provider__billable_rules__verdicts",
        "provider__billable_rules__status_classes",
    ):
        found.setdefault(pk, []).append((at, (tuple(verdicts), tuple(classes))))
    return found


def _moment(wanted: datetime | None) -> datetime:
    soonest = now().astimezone(UTC).replace(second=0, microsecond=0) + timedelta(minutes=1)
    if wanted is None:
        return soonest
    wanted = wanted.astimezone(UTC)
    if wanted.second or wanted.microsecond:
        raise Refused("A rule begins with a whole minute.", field="effective_from")
    if wanted < soonest:
        raise Refused(
            f"A rule cannot hold for the past. The soonest is {soonest:%Y-%m-%dT%H:%MZ}.",
            field="effective_from",
        )
    return wanted
