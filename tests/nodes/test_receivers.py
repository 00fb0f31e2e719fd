"""What the rooms below announce becomes exactly the entries concerned."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.utils.timezone import now

from access.models import ApiKey, Subscription, UsagePlan
from access.signals import keys_changed, plans_changed, subscriptions_changed
from accounts.models import Organization
from accounts.signals import organization_suspended_changed
from apis.addresses import set_execute_api_endpoint
from apis.models import Backend, BasePathMapping, Stage
from apis.signals import backends_changed, mappings_changed, stages_changed
from nodes import entries
from nodes.models import Entry
from nodes.rebuild import rebuild
from tests.factories import (
    make_application,
    make_backend,
    make_key,
    make_mapping,
    make_plan,
    make_stage,
    make_subscription,
)

pytestmark = pytest.mark.django_db


def written(act: Callable[[], Any]) -> set[tuple[str, str, bool]]:
    """Return kind, key and whether it is there, of the entries that an act wrote."""
    before = entries.newest_generation()
    act()
    rows = Entry.objects.filter(generation__gt=before)
    return {(row.kind, row.key, row.data is not None) for row in rows}


def test_a_changed_plan_is_one_entry_however_many_subscribe() -> None:
    plan = make_plan()
    for _ in range(5):
        make_key(make_subscription(plan=plan).application)
    rebuild()
    UsagePlan.objects.filter(pk=plan.pk).update(quota_limit=5)
    assert written(lambda: plans_changed.send(UsagePlan, plan_ids=[plan.pk])) == {("plan", plan.pk, True)}


def test_a_new_subscription_also_changes_the_keys_of_its_application() -> None:
    application = make_application()
    key, _ = make_key(application)
    make_key()
    rebuild()
    subscription = make_subscription(application)
    assert written(lambda: subscriptions_changed.send(Subscription, subscription_ids=[subscription.pk])) == {
        ("subscription", subscription.pk, True),
        ("key", key.hash, True),
    }


def test_a_suspended_subscription_is_one_entry() -> None:
    subscription = make_subscription()
    make_key(subscription.application)
    rebuild()
    Subscription.objects.update(state="suspended")
    assert written(lambda: subscriptions_changed.send(Subscription, subscription_ids=[subscription.pk])) == {
        ("subscription", subscription.pk, True)
    }


def test_a_revoked_key_is_one_entry() -> None:
    key, _ = make_key()
    make_key()
    rebuild()
    ApiKey.objects.filter(pk=key.pk).update(state="revoked")
    assert written(lambda: keys_changed.send(ApiKey, key_ids=[key.pk])) == {("key", key.hash, True)}


def test_a_first_deployment_brings_the_stage_and_its_addresses() -> None:
    mapping = make_mapping()
    stage = mapping.stage
    assert written(lambda: stages_changed.send(Stage, stage_ids=[stage.pk])) == {
        ("stage", stage.pk, True),
        ("mapping", f"*|{mapping.base_path}", True),
        ("mapping", f"{stage.version_id}.execute-api|live", True),
        ("api", stage.version.api_id, True),
        ("api", f"~{stage.version.api.slug}", True),
    }


def test_a_moved_and_a_removed_address() -> None:
    mapping, other = make_mapping(), make_stage()
    rebuild()
    address = f"|{mapping.base_path}"
    BasePathMapping.objects.update(stage=other)
    assert written(lambda: mappings_changed.send(BasePathMapping, addresses=[address])) == {
        ("mapping", f"*{address}", True)
    }
    assert Entry.objects.get(key=f"*{address}").data == {"stage": other.pk}
    mapping.delete()
    assert written(lambda: mappings_changed.send(BasePathMapping, addresses=[address])) == {
        ("mapping", f"*{address}", False)
    }


def test_a_changed_backend_is_one_entry() -> None:
    backend = make_backend()
    make_backend()
    assert written(lambda: backends_changed.send(Backend, backend_ids=[backend.pk])) == {
        ("backend", backend.pk, True)
    }


def test_a_suspended_organization_loses_what_it_bought_and_what_it_sells() -> None:
    subscription, stage = make_subscription(), make_stage()
    for organization in (subscription.organization, stage.organization):
        rebuild()
        Organization.objects.filter(pk=organization.pk).update(suspended_at=now())
        found = written(
            lambda pk=organization.pk: organization_suspended_changed.send(
                Organization, organization_ids=[pk]
            )
        )
        if organization == subscription.organization:
            assert found == {("subscription", subscription.pk, True)}
        else:
            assert found == {("stage", stage.pk, True)}
    assert Entry.objects.get(kind="subscription").data["active"] is False
    assert Entry.objects.get(kind="stage", key=stage.pk).data["suspended"] is True


def test_a_change_that_is_taken_back_writes_nothing() -> None:
    plan = make_plan()
    rebuild()

    def change() -> None:
        with transaction.atomic():
            UsagePlan.objects.filter(pk=plan.pk).update(quota_limit=5)
            plans_changed.send(UsagePlan, plan_ids=[plan.pk])
            transaction.set_rollback(True)

    assert written(change) == set()


def test_a_canonical_address_that_is_switched_off_is_gone_from_nodes() -> None:
    mapping = make_mapping()
    rebuild()
    version, key = mapping.stage.version, f"{mapping.stage.version_id}.execute-api|live"
    for disabled in (True, False):
        found = written(lambda: set_execute_api_endpoint(version=version, disabled=disabled, actor=None))  # noqa: B023
        assert found == {("mapping", key, not disabled)}
        assert rebuild() == 0
