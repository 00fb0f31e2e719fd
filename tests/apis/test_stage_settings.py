"""Policies of a stage: they hold at once, and a refusal points at their field."""

import pytest

from accounts.errors import Refused
from apis.models import Stage
from apis.publish import change_stage, flush_cache, set_operation_policy
from apis.signals import stages_changed
from tests.factories import audit_actions, make_operation, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    ids = []

    def listen(stage_ids, **_):
        ids.append(stage_ids)

    stages_changed.connect(listen)
    yield ids
    stages_changed.disconnect(listen)


def refused(verb, **given):
    with pytest.raises(Refused) as caught:
        verb(actor=None, **given)
    return caught.value


def test_policies_and_logs_are_kept_in_their_checked_form_and_announced(heard):
    stage = make_stage()
    operation = make_operation(stage.version)
    settings = {
        "policy": {"cache": {"ttl": 60}, "ip": {"allow": ["192.0.2.7"]}},
        "operation_policies": {operation.pk: {"max_body": 5}},
        "access_log": " $context.requestId ",
        "compress_from": 1_024,
        "request_log": "errors",
    }
    change_stage(stage=stage, actor=None, **settings)
    change_stage(stage=stage, actor=None, **settings)
    stage = Stage.objects.get()
    assert stage.policy == {"cache": {"ttl": 60}, "ip": {"allow": ["192.0.2.7/32"], "deny": []}}
    assert stage.operation_policies == {operation.pk: {"max_body": 5}}
    assert (stage.access_log, stage.compress_from, stage.request_log) == (
        "$context.requestId",
        1_024,
        "errors",
    )
    assert heard == [[stage.pk]]
    assert audit_actions() == ["stage.changed"]
    change_stage(stage=stage, policy={}, operation_policies={}, access_log="", compress_from=None, actor=None)
    stage = Stage.objects.get()
    assert (stage.policy, stage.operation_policies, stage.access_log) == ({}, {}, "")


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("policy.cache.ttl", {"policy": {"cache": {"ttl": 4_000}}}),
        ("request_log", {"request_log": "some"}),
        ("policy.timeout_ms", {"policy": {"timeout_ms": 30_000}}),
        ("operation_policies", {"operation_policies": []}),
        ("operation_policies.nobody", {"operation_policies": {"nobody": {}}}),
        ("access_log", {"access_log": "$context.status"}),
        ("compress_from", {"compress_from": -1}),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused_at_its_field(field, settings):
    assert refused(change_stage, stage=make_stage(), **settings).field == field
    assert Stage.objects.get().policy == {}


def test_the_installation_says_how_long_a_wait_may_be(settings):
    settings.GATEHOUSE_MAX_TIMEOUT_MS = 60_000
    stage = change_stage(stage=make_stage(), policy={"timeout_ms": 60_000}, actor=None)
    assert stage.policy == {"timeout_ms": 60_000}


def test_one_operation_gets_a_policy_and_loses_it(heard):
    stage = make_stage()
    one, two = make_operation(stage.version), make_operation(stage.version)
    set_operation_policy(stage=stage, operation=one, policy={"cache": None}, actor=None)
    set_operation_policy(stage=stage, operation=two, policy={"max_body": 1}, actor=None)
    assert Stage.objects.get().operation_policies == {one.pk: {"cache": None}, two.pk: {"max_body": 1}}
    set_operation_policy(stage=stage, operation=one, policy=None, actor=None)
    assert Stage.objects.get().operation_policies == {two.pk: {"max_body": 1}}
    assert len(heard) == 3
    wrong = refused(set_operation_policy, stage=stage, operation=one, policy={"cache": {"ttl": "x"}})
    assert wrong.field == "policy.cache.ttl"
    foreign = refused(set_operation_policy, stage=stage, operation=make_operation(), policy={})
    assert foreign.field == "operation"


def test_an_operation_of_another_version_cannot_have_a_policy_here():
    other = make_operation()
    stage = make_stage()
    field = refused(change_stage, stage=stage, operation_policies={other.pk: {"max_body": 1}}).field
    assert field == f"operation_policies.{other.pk}"


def test_a_flush_moves_the_epoch_of_the_cache(heard):
    stage = make_stage()
    flush_cache(stage=stage, actor=None)
    assert flush_cache(stage=stage, actor=None).cache_epoch == 2
    assert Stage.objects.get().cache_epoch == 2
    assert heard == [[stage.pk]] * 2
    assert audit_actions() == ["stage.cache_flushed"] * 2
