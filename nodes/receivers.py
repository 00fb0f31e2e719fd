"""What the rooms below announce becomes entries, in the announcer's own transaction.

Each receiver locks the entries before it reads the rows: of two writers, the second sees what the first did.
"""

from collections.abc import Collection, Iterator
from typing import Any

from django.dispatch import receiver

from access.models import ApiKey, PlanChange, Subscription
from access.signals import (
    keys_changed,
    plan_of_subscription_changed,
    plans_changed,
    subscriptions_changed,
)
from accounts.signals import organization_changed, organization_suspended_changed, tokens_changed
from apis.models import Stage
from apis.signals import backends_changed, domains_changed, mappings_changed, stages_changed
from nodes import compile as compiler, entries, wanted
from nodes.compile_callers import tokens_of
from nodes.plan_change import move_quota


@receiver(stages_changed)
def write_stages(stage_ids: Collection[str], **_: Any) -> None:
    entries.lock()
    entries.write_many(changes=compiler.stages(set(stage_ids)))


@receiver(backends_changed)
def write_backends(backend_ids: Collection[str], **_: Any) -> None:
    entries.lock()
    entries.write_many(changes=compiler.backends(set(backend_ids)))


@receiver(mappings_changed)
def write_mappings(addresses: Collection[str], **_: Any) -> None:
    entries.lock()
    entries.write_many(changes=compiler.mappings(set(addresses)))


@receiver(plans_changed)
def write_plans(plan_ids: Collection[str], **_: Any) -> None:
    """A lowered quota also has nodes give back what they hold beyond it."""
    entries.lock()
    entries.write_many(changes=compiler.plans(set(plan_ids)))
    wanted.recall(set(plan_ids))


@receiver(plan_of_subscription_changed)
def move_quotas(change: PlanChange, **_: Any) -> None:
    """The entries follow with `subscriptions_changed`, which is sent next."""
    entries.lock()
    move_quota(subscription=change.subscription, change=change)


@receiver(subscriptions_changed)
def write_subscriptions(subscription_ids: Collection[str], **_: Any) -> None:
    """A key's entry names its application's subscriptions, so it may change with them."""
    entries.lock()
    entries.write_many(changes=_subscriptions_and_keys(set(subscription_ids)))


def _subscriptions_and_keys(ids: set[str]) -> Iterator[entries.Change]:
    yield from compiler.subscriptions(ids)
    yield from compiler.keys(compiler.keys_of_subscriptions(ids))


@receiver(keys_changed)
def write_keys(key_ids: Collection[str], **_: Any) -> None:
    entries.lock()
    entries.write_many(changes=compiler.keys(set(key_ids)))


@receiver(organization_suspended_changed)
def write_organizations(organization_ids: Collection[str], **_: Any) -> None:
    """As developers their subscriptions and keys, as providers their stages; and their tokens."""
    entries.lock()
    bought = Subscription.objects.filter(organization__in=organization_ids)
    stages = Stage.objects.filter(organization__in=organization_ids)
    entries.write_many(changes=compiler.subscriptions(set(bought.values_list("pk", flat=True))))
    entries.write_many(changes=compiler.stages(set(stages.values_list("pk", flat=True))))
    _write_keys_of(organization_ids)
    entries.write_many(changes=compiler.callers(tokens_of(organizations=organization_ids)))


def _write_keys_of(organization_ids: Collection[str]) -> None:
    keys = ApiKey.objects.filter(organization__in=organization_ids)
    entries.write_many(changes=compiler.keys(set(keys.values_list("pk", flat=True))))


@receiver(organization_changed)
def write_names(organization_ids: Collection[str], **_: Any) -> None:
    """A key's entry tells whose it is."""
    entries.lock()
    _write_keys_of(organization_ids)


@receiver(domains_changed)
def write_certificates(hosts: Collection[str], **_: Any) -> None:
    entries.lock()
    entries.write_many(changes=compiler.certificates(set(hosts)))


@receiver(tokens_changed)
def write_callers(token_ids: Collection[str], **_: Any) -> None:
    entries.lock()
    entries.write_many(changes=compiler.callers(set(token_ids)))
