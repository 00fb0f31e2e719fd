"""Canaries, as Amazon API Gateway has them."""

import pytest

from accounts.errors import Refused
from apis.models import Stage
from apis.publish import deploy, promote_canary, remove_canary, roll_back, set_canary
from tests.apis.factories import imported
from tests.factories import audit_actions, make_deployment, make_stage

pytestmark = pytest.mark.django_db


def refused(verb, **given):
    with pytest.raises(Refused) as caught:
        verb(actor=None, **given)
    return caught.value


def test_a_canary_starts_with_the_stages_own_deployment_at_0_percent():
    stage = set_canary(stage=make_stage(), actor=None)
    assert stage.canary_deployment == stage.deployment
    assert (stage.canary_percent, stage.canary_variables, stage.canary_use_cache) == (0, {}, False)


def test_a_deploy_goes_to_the_canary_until_it_is_removed():
    version = imported()
    first = deploy(version=version, actor=None)
    stage = version.stages.get()
    set_canary(stage=stage, percent=10, variables={"a": "b"}, use_cache=True, actor=None)
    second = deploy(version=version, actor=None)
    stage.refresh_from_db()
    assert (stage.deployment, stage.canary_deployment, stage.canary_percent) == (first, second, 10)
    remove_canary(stage=stage, actor=None)
    third = deploy(version=version, actor=None)
    stage = Stage.objects.get()
    assert (stage.deployment, stage.canary_deployment) == (third, None)
    assert (stage.canary_percent, stage.canary_variables, stage.canary_use_cache) == (0, {}, False)
    assert audit_actions()[-4:] == [
        "stage.canary_set",
        "stage.canary_set",
        "stage.canary_removed",
        "stage.deployed",
    ]


def test_a_promoted_canary_is_for_everybody_and_stays_at_0_percent():
    stage = make_stage(variables={"a": "1", "b": "2"})
    newer = make_deployment(stage.version)
    set_canary(stage=stage, deployment=newer, percent=50.5, variables={"a": "3"}, actor=None)
    promote_canary(stage=stage, actor=None)
    stage = Stage.objects.get()
    assert (stage.deployment, stage.canary_deployment, stage.canary_percent) == (newer, newer, 0)
    assert stage.variables == {"a": "3", "b": "2"}


def test_a_roll_back_moves_the_stage_and_not_its_canary():
    version = imported()
    first = deploy(version=version, actor=None)
    second = deploy(version=version, actor=None)
    stage = version.stages.get()
    set_canary(stage=stage, percent=5, actor=None)
    roll_back(stage=stage, actor=None)
    assert (stage.deployment, stage.canary_deployment) == (first, second)


def test_a_canary_that_cannot_be_is_refused():
    stage = make_stage()
    for percent in (-1, 100.1, True, "5", float("nan")):
        assert refused(set_canary, stage=stage, percent=percent).field == "percent"
    assert refused(set_canary, stage=stage, variables={"a-b": "c"}).field == "variables"
    assert refused(set_canary, stage=stage, deployment=make_deployment()).field == "deployment"
    assert refused(set_canary, stage=make_stage(deployment=None)).code == "nothing_deployed"
    assert refused(promote_canary, stage=stage).code == "no_canary"
    assert refused(remove_canary, stage=stage).code == "no_canary"
