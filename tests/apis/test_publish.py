"""Deployments and the stages that point to them."""

import pytest

from accounts.errors import Refused
from apis.models import BasePathMapping, Deployment, Stage, VersionState
from apis.publish import change_stage, deploy, promote, roll_back
from apis.signals import mappings_changed, stages_changed
from apis.versions import replace_document, set_key_default
from tests.apis.factories import LAMBDA, document, imported, text_of
from tests.factories import audit_actions, make_stage, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    found = []
    stages_changed.connect(lambda stage_ids, **_: found.append(stage_ids), weak=False, dispatch_uid="t")
    mappings_changed.connect(lambda addresses, **_: found.append(addresses), weak=False, dispatch_uid="t")
    yield found
    stages_changed.disconnect(dispatch_uid="t")
    mappings_changed.disconnect(dispatch_uid="t")


def refused(verb, **given):
    with pytest.raises(Refused) as caught:
        verb(actor=None, **given)
    return caught.value


def test_the_first_deploy_makes_the_live_stage_with_its_address(heard):
    alice = make_user("alice")
    version = imported()
    deployment = deploy(version=version, note="First", actor=alice)
    stage = Stage.objects.get()
    assert (stage.name, stage.deployment, stage.organization) == ("live", deployment, version.organization)
    assert (deployment.number, deployment.note, deployment.created_by) == (1, "First", alice)
    assert version.state == VersionState.PUBLISHED
    mapping = BasePathMapping.objects.get()
    assert (mapping.host, mapping.base_path, mapping.stage) == ("", "shop/v1", stage)
    assert heard == [[stage.pk], ["|shop/v1"]]
    assert audit_actions()[-2:] == ["stage.deployed", "mapping.created"]


def test_a_deployment_is_compiled_from_the_document():
    version = imported(text_of("shop.openapi30.json"))
    compiled = deploy(version=version, actor=None).compiled
    ids = {f"{each.method} {each.path}": each.pk for each in version.operations.all()}
    assert compiled == {
        "operations": [
            {
                "id": ids["GET /items/{id}"],
                "method": "GET",
                "path": "/items/{id}",
                "key_required": True,
                "integration": {
                    "type": "http_proxy",
                    "uri": "https://catalogue.example.com/items/{item}",
                    "captures": {"id": 0, "item": 0},
                    "method": "GET",
                    "timeout_ms": 29_000,
                },
            },
            {
                "id": ids["GET /open"],
                "method": "GET",
                "path": "/open",
                "key_required": False,
                "integration": {"type": "http_proxy", "backend": version.backend_id},
            },
            {
                "id": ids["POST /lambda"],
                "method": "POST",
                "path": "/lambda",
                "key_required": True,
                "integration": {
                    "type": "unserved",
                    "reason": "Integrations of the type aws_proxy are not served yet.",
                },
            },
            {
                "id": ids["ANY /any"],
                "method": "ANY",
                "path": "/any",
                "key_required": True,
                "integration": {"type": "http_proxy", "backend": version.backend_id},
            },
        ]
    }


def test_a_deployment_stays_as_it_is_when_the_document_changes():
    version = imported()
    first = deploy(version=version, actor=None)
    before = first.compiled
    replace_document(version=version, document=document({"/x": {"get": {}}}), actor=None)
    set_key_default(version=version, required=False, actor=None)
    second = deploy(version=version, actor=None)
    first = Deployment.objects.get(pk=first.pk)
    assert first.compiled == before
    assert list(first.document["paths"]) == ["/orders", "/orders/{id}"]
    assert [(each["path"], each["key_required"]) for each in second.compiled["operations"]] == [("/x", False)]
    assert list(second.document["paths"]) == ["/x"]


def test_paths_that_no_call_can_reach_are_not_compiled():
    paths = {"/a/{x}": {"get": {}}, "/a/{y}": {"get": {}}, "/#b": {"get": {}}, "/c": {"trace": {}, "get": {}}}
    compiled = deploy(version=imported(document(paths)), actor=None).compiled
    assert [each["path"] for each in compiled["operations"]] == ["/a/{x}", "/c"]


def test_other_stages_have_their_canonical_address_only():
    version = imported()
    deploy(version=version, stage_name="test", actor=None)
    assert Stage.objects.get().name == "test"
    assert not BasePathMapping.objects.exists()


def test_a_deploy_says_what_is_missing():
    homeless = refused(deploy, version=imported(url=""))
    assert (homeless.field, homeless.code) == ("backend", "backend_missing")
    assert "GET /orders" in homeless.message
    lambdas = document({"/a": {"get": {"x-amazon-apigateway-integration": LAMBDA}}})
    nothing = refused(deploy, version=imported(lambdas))
    assert nothing.code == "nothing_to_serve"
    assert "aws_proxy are not served yet" in nothing.message
    assert refused(deploy, version=imported(document({}))).code == "nothing_to_serve"
    assert refused(deploy, version=imported(), stage_name="a/b").field == "stage_name"
    assert refused(deploy, version=imported(), note="x" * 201).field == "note"
    assert not Deployment.objects.exists()
    assert not Stage.objects.exists()


def test_a_document_that_needs_no_backend_is_deployed_without_one():
    integration = {"type": "http_proxy", "uri": "https://a.example/{id}"}
    paths = {"/a/{id}": {"get": {"x-amazon-apigateway-integration": integration}}}
    assert deploy(version=imported(document(paths), url=""), actor=None).number == 1


def test_a_stage_rolls_back_step_by_step_or_to_a_given_deployment(heard):
    version = imported()
    first, second, third = (deploy(version=version, actor=None) for _ in range(3))
    stage = version.stages.get()
    heard.clear()
    assert roll_back(stage=stage, actor=None).deployment == second
    assert roll_back(stage=stage, actor=None).deployment == first
    assert refused(roll_back, stage=stage).code == "nothing_before"
    assert roll_back(stage=stage, deployment=third, actor=None).deployment == third
    assert heard == [[stage.pk]] * 3
    assert audit_actions()[-3:] == ["stage.rolled_back"] * 3
    assert refused(roll_back, stage=stage, deployment=make_stage().deployment).field == "deployment"


def test_a_stage_is_promoted_to_another_of_the_same_version():
    version = imported()
    tested = deploy(version=version, stage_name="test", actor=None)
    stage = version.stages.get()
    live = promote(stage=stage, to="live", actor=None)
    assert (live.name, live.deployment) == ("live", tested)
    assert BasePathMapping.objects.get().stage == live
    newer = deploy(version=version, stage_name="test", actor=None)
    assert promote(stage=stage, to=live, actor=None).deployment == newer
    assert refused(promote, stage=stage, to="test").field == "to"
    assert refused(promote, stage=stage, to=make_stage()).field == "to"
    assert refused(promote, stage=make_stage(deployment=None), to="x").code == "nothing_deployed"


def test_settings_of_a_stage_hold_without_a_deployment(heard):
    stage = make_stage()
    change_stage(
        stage=stage, variables={"host": "a.example:80"}, throttle_rate=5, throttle_burst=10, actor=None
    )
    change_stage(stage=stage, throttle_rate=5.0, actor=None)
    stage.refresh_from_db()
    assert (stage.variables, stage.throttle_rate, stage.throttle_burst) == ({"host": "a.example:80"}, 5, 10)
    assert heard == [[stage.pk]]
    assert audit_actions() == ["stage.changed"]
    change_stage(stage=stage, throttle_rate=None, throttle_burst=None, actor=None)
    with pytest.raises(TypeError):
        change_stage(stage=stage, name="x", actor=None)


@pytest.mark.parametrize(
    ("field", "settings"),
    [
        ("variables", {"variables": ["x"]}),
        ("variables", {"variables": {"a-b": "x"}}),
        ("variables", {"variables": {"a": 1}}),
        ("variables", {"variables": {"a": "x\ny"}}),
        ("variables", {"variables": {"a": "{x}"}}),
        ("throttle_burst", {"throttle_rate": 1}),
        ("throttle_rate", {"throttle_burst": 1}),
        ("throttle_rate", {"throttle_rate": -1, "throttle_burst": 1}),
        ("throttle_rate", {"throttle_rate": float("nan"), "throttle_burst": 1}),
        ("throttle_burst", {"throttle_rate": 1, "throttle_burst": -1}),
        ("throttle_burst", {"throttle_rate": 1, "throttle_burst": 1.5}),
    ],
)
def test_settings_that_make_no_sense_are_refused(field, settings):
    stage = make_stage()
    assert refused(change_stage, stage=stage, **settings).field == field
    assert Stage.objects.get().variables == {}
