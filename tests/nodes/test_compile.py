from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils.timezone import now

from gateway import entries as shapes
from nodes import compile as compiler
from nodes.change import Change
from nodes.models import Entry
from nodes.rebuild import rebuild
from tests.factories import (
    make_application,
    make_backend,
    make_deployment,
    make_key,
    make_mapping,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
    make_version,
)

pytestmark = pytest.mark.django_db


def only(changes: Any) -> Change:
    (change,) = changes
    return change


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("http://127.0.0.1:9000", shapes.Target("http", "127.0.0.1", 9000)),
        ("https://API.example.com/v2/", shapes.Target("https", "api.example.com", 443, "/v2")),
        ("http://[::1]/x", shapes.Target("http", "::1", 80, "/x")),
    ],
)
def test_a_backends_url_is_taken_apart(url: str, target: shapes.Target) -> None:
    backend = make_backend(url=url, connect_timeout_ms=100, timeout_ms=2_000)
    change = only(compiler.backends([backend.pk]))
    assert change.data == shapes.Backend(target, 100, 2_000)
    assert change.organization_id == backend.organization_id


@pytest.mark.parametrize("url", ["ftp://example.com", "http://", "http://example.com:99999"])
def test_a_url_that_cannot_be_used_is_a_problem(url: str) -> None:
    change = only(compiler.backends([make_backend(url=url).pk]))
    assert change.data is None
    assert change.problem


def operation(**fields: Any) -> dict[str, Any]:
    return {
        "id": "op00000001",
        "method": "GET",
        "path": "/pets/{id}",
        "key_required": True,
        "integration": {"type": "http_proxy", "backend": "backend001"},
    } | fields


def make_deployed(*operations: dict[str, Any], **fields: Any) -> Any:
    version = make_version()
    deployment = make_deployment(version, compiled={"operations": list(operations)})
    return make_stage(version, deployment=deployment, **fields)


def stage_of(stage: Any) -> Change:
    return next(change for change in compiler.stages([stage.pk]) if change.kind == "stage")


def test_a_stage_carries_its_deployments_operations_and_its_own_settings() -> None:
    stage = make_deployed(operation(), throttle_rate=5.5, throttle_burst=10)
    assert stage_of(stage).data == shapes.Stage(
        api_id=stage.version.api_id,
        version_id=stage.version_id,
        name="live",
        state="published",
        deployment=stage.deployment_id,
        operations={
            "op00000001": shapes.Operation(
                "GET",
                "/pets/{id}",
                key_required=True,
                integration=shapes.Integration("http_proxy", backend="backend001"),
            )
        },
        trie={"s": {"pets": {"v": {"m": {"GET": "op00000001"}}}}},
        throttle=shapes.Throttle(5.5, 10),
        organization=stage.organization_id,
        about={
            "slug": stage.version.api.slug,
            "version": stage.version.name,
            "lifecycle": "published",
        },
    )


URI = {
    "type": "http_proxy",
    "uri": "http://${stageVariables.host}/x/{which}",
    "captures": {"which": 0},
    "method": "POST",
    "timeout_ms": 1_000,
}


def test_stage_variables_are_put_into_the_uri() -> None:
    stage = make_deployed(operation(integration=URI), variables={"host": "127.0.0.1:9000"})
    change = stage_of(stage)
    assert change.problem == ""
    assert change.data.operations["op00000001"].integration == shapes.Integration(
        type="http_proxy",
        target=shapes.Target("http", "127.0.0.1", 9000),
        path=["/x/", 0],
        method="POST",
        timeout_ms=1_000,
    )


def test_a_missing_stage_variable_breaks_its_operation_only_and_is_visible() -> None:
    fine = operation(id="op00000002", path="/fine")
    change = stage_of(make_deployed(operation(integration=URI), fine))
    broken = change.data.operations["op00000001"].integration
    assert (broken.type, "host" in broken.reason) == ("unserved", True)
    assert change.data.operations["op00000002"].integration.type == "http_proxy"
    assert "GET /pets/{id}" in change.problem


def test_an_operation_that_cannot_be_routed_is_left_out_and_is_visible() -> None:
    odd = operation(id="op00000002", path="/{a}{b}")
    change = stage_of(make_deployed(operation(), odd))
    assert list(change.data.operations) == ["op00000001"]
    assert "GET /{a}{b} is left out" in change.problem


def test_a_stage_that_cannot_be_compiled_keeps_its_former_entry_and_says_why() -> None:
    from nodes.queries import stage_problem

    stage = make_deployed(operation())
    rebuild()
    before = Entry.objects.get(kind="stage")
    assert stage_problem(stage) == ""
    stage.deployment.compiled = {"operations": [{"id": "half"}]}
    stage.deployment.save()
    assert rebuild() == 0
    after = Entry.objects.get(kind="stage")
    assert (after.data, after.generation) == (before.data, before.generation)
    assert "KeyError" in stage_problem(stage)


def test_a_stage_of_a_suspended_provider_is_suspended() -> None:
    stage = make_deployed(operation())
    stage.organization.suspended_at = now()
    stage.organization.save()
    assert stage_of(stage).data.suspended is True


def addresses(changes: Any) -> dict[str, str | None]:
    return {change.key: change.data and change.data.stage for change in changes if change.kind == "mapping"}


def test_a_stage_answers_at_its_mappings_and_at_its_canonical_address() -> None:
    stage = make_deployed(operation())
    make_mapping(stage, base_path="pets/v1")
    make_mapping(stage, host="api.example.com", base_path="")
    assert addresses(compiler.stages([stage.pk])) == {
        "*|pets/v1": stage.pk,
        "api.example.com|": stage.pk,
        f"{stage.version_id}.execute-api|live": stage.pk,
    }


def test_a_stage_that_was_never_deployed_has_no_address() -> None:
    stage = make_stage(deployment=None)
    make_mapping(stage, base_path="pets/v1")
    assert stage_of(stage).data is None
    assert set(addresses(compiler.stages([stage.pk])).values()) == {None}
    assert addresses(compiler.mappings(None)) == {}


def test_the_addresses_of_a_stage_that_was_deleted_are_gone() -> None:
    stage = make_deployed(operation())
    mapping = make_mapping(stage, base_path="pets/v1")
    rebuild()
    canonical, pk = f"{stage.version_id}.execute-api|live", stage.pk
    mapping.delete()
    stage.delete()
    assert addresses(compiler.stages([pk])) == {"*|pets/v1": None, canonical: None}


def test_an_address_is_named_with_or_without_its_star() -> None:
    mapping = make_mapping(base_path="pets/v1")
    for name in ("|pets/v1", "*|pets/v1"):
        assert addresses(compiler.mappings([name])) == {"*|pets/v1": mapping.stage_id}
    assert addresses(compiler.mappings(["*|pets/v2", "other.example.com|pets/v1"])) == {
        "*|pets/v2": None,
        "other.example.com|pets/v1": None,
    }


def test_a_plan_carries_its_limits_and_stages() -> None:
    one, two = make_stage(), make_stage()
    plan = make_plan(
        one,
        two,
        throttle_rate=5,
        throttle_burst=10,
        quota_limit=1_000,
        quota_offline_allowance=7,
        request_log="sample",
    )
    assert only(compiler.plans([plan.pk])).data == shapes.Plan(
        sorted([one.pk, two.pk]),
        shapes.Throttle(5.0, 10),
        shapes.Quota(1_000, "MONTH", 7),
        about={"name": plan.name},
        request_log="sample",
    )
    bare = make_plan(one)
    assert only(compiler.plans([bare.pk])).data == shapes.Plan([one.pk], about={"name": bare.name})


@pytest.mark.parametrize(
    ("state", "application", "suspended", "expected"),
    [
        ("active", "active", False, True),
        ("pending", "active", False, False),
        ("suspended", "active", False, False),
        ("active", "suspended", False, False),
        ("active", "active", True, False),
    ],
)
def test_a_subscription_is_active_if_all_of_its_parts_are(
    state: str, application: str, suspended: bool, expected: bool
) -> None:
    organization = make_organization(suspended_at=now() if suspended else None)
    subscription = make_subscription(make_application(organization, state=application), state=state)
    change = only(compiler.subscriptions([subscription.pk]))
    told = {"started": subscription.started_at.timestamp()}
    told |= {} if state == "active" else {"state": state}
    assert change.data == shapes.Subscription(subscription.plan_id, expected, told)


def test_a_cancelled_subscription_is_gone_from_its_keys_too() -> None:
    application = make_application()
    living, over = make_subscription(application), make_subscription(application, state="cancelled")
    key, _ = make_key(application)
    assert only(compiler.subscriptions([over.pk])).data is None
    assert only(compiler.keys([key.pk])).data.subscriptions == [living.pk]
    assert compiler.keys_of_subscriptions([over.pk]) == [key.pk]


def test_a_keys_deadlines_lie_in_its_entry() -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    key, _ = make_key(not_before=at, expires_at=at, grace_until=at)
    change = only(compiler.keys([key.pk]))
    assert change.key == key.hash
    assert change.data == shapes.Key(
        id=key.pk,
        active=True,
        subscriptions=[],
        not_before=at.timestamp(),
        expires_at=at.timestamp(),
        grace_until=at.timestamp(),
        about={
            "name": key.name,
            "start": key.prefix,
            "application": {"id": key.application.pk, "name": key.application.name},
            "account": {"id": key.organization.pk, "name": key.organization.name},
            "providers": [],
        },
    )


def test_a_disabled_key_is_not_active_and_of_a_revoked_one_only_its_story_is_left() -> None:
    disabled, _ = make_key(state="disabled")
    moment = now()
    revoked, _ = make_key(make_subscription().application, state="revoked", expires_at=moment)
    assert only(compiler.keys([disabled.pk])).data.active is False
    left = only(compiler.keys([revoked.pk])).data
    assert left == shapes.Key(
        revoked.pk, active=False, subscriptions=[], expires_at=moment.timestamp(), about=left.about
    )
    assert left.about["state"] == "revoked"


def test_what_is_unusual_about_a_key_is_told() -> None:
    application = make_application(make_organization(suspended_at=now()), state="suspended")
    subscription = make_subscription(application, state="cancelled")
    successor, _ = make_key(application)
    key, _ = make_key(application, replaced_by=successor, state="disabled")
    told = only(compiler.keys([key.pk])).data.about
    assert (told["state"], told["successor"], told["providers"]) == (
        "disabled", successor.pk, [subscription.provider_id],
    )  # fmt: skip
    assert told["application"]["state"] == told["account"]["state"] == "suspended"


def test_no_entry_holds_a_secret() -> None:
    _, text = make_key()
    assert text not in str(list(compiler.everything()))


def test_every_entry_fits_the_contract() -> None:
    mapping = make_mapping(make_deployed(operation()))
    make_key(make_subscription(plan=make_plan(mapping.stage)).application)
    make_backend()
    kinds = set()
    for change in compiler.everything():
        entry = shapes.Entry.from_dict(
            {"kind": change.kind, "key": change.key, "generation": 1, "data": shapes.compact(change.data)}
        )
        kinds.add(entry.kind)
    assert kinds >= {"mapping", "stage", "backend", "plan", "subscription", "key"}


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("kind", ["stages", "plans", "subscriptions", "keys", "backends"])
def test_many_cost_as_many_queries_as_one(kind: str, count: int, django_assert_max_num_queries: Any) -> None:
    made = {
        "stages": lambda: make_mapping().stage,
        "plans": make_plan,
        "subscriptions": make_subscription,
        "keys": lambda: make_key()[0],
        "backends": make_backend,
    }[kind]
    ids = [made().pk for _ in range(count)]
    with django_assert_max_num_queries(
        {"stages": 10, "plans": 3, "subscriptions": 2, "keys": 2}.get(kind, 1)
    ):
        assert list(getattr(compiler, kind)(ids))
