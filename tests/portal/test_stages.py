"""Versions and stages: deploy with what it breaks, canary beside the rest, roll back, promote, the end of a version."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from accounts.models import AuditEvent
from apis.backends import create_backend
from apis.models import ApiVersion, Stage
from apis.openapi.writing import written
from apis.publish import deploy, set_canary
from apis.versions import create_version, replace_document
from metering.queries import Summary
from metering.side_by_side import Half
from portal.publishing.canary import compare, judge
from portal.publishing.canary_operations import beyond_chance, judge_operation
from tests.factories import (
    make_api,
    make_document,
    make_organization,
    make_plan,
    make_subscription,
    make_user,
)
from tests.metering.factories import NOON, make_row, use
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def version() -> ApiVersion:
    """Orders v1, deployed once with /get and /old."""
    organization = make_organization(make_user("alice"), name="Shop")
    backend = create_backend(organization=organization, name="Own", url="http://127.0.0.1:9", actor=None)
    made = create_version(
        api=make_api(organization, name="Orders", slug="orders"),
        name="v1",
        document=make_document("/get", "/old"),
        backend=backend,
        actor=None,
    )
    deploy(version=made, note="First", actor=None)
    return made


@pytest.fixture
def alice(version: ApiVersion) -> Client:
    return signed_in(version.organization.members.get().user)


def live(version: ApiVersion) -> Stage:
    return Stage.objects.get(version=version, name="live")


def document(version: ApiVersion) -> dict[str, Any]:
    """The version's document as it is now; a row that has it loaded keeps it."""
    return ApiVersion.objects.get(pk=version.pk).document


def address(name: str, *args: Any) -> str:
    return reverse(name, args=[getattr(each, "pk", each) for each in args])


def test_a_deploy_shows_what_breaks_and_asks_whether_it_is_meant(alice, version):
    make_subscription(plan=make_plan(live(version), name="Free"))
    replace_document(version=version, document=make_document("/get", "/new"), actor=None)
    page = alice.get(address("version-deploy", version))
    shown = page.content.decode()
    assert [(each.kind, each.path, each.breaking) for each in page.context["changes"]] == [
        ("removed", "/old", True),
        ("added", "/new", False),
    ]
    assert "1 active subscription of 1 organization, on Free" in shown
    assert "-    &quot;/old&quot;: {" in shown
    assert "+    &quot;/new&quot;: {" in shown
    refused = alice.post(address("version-deploy", version), {"stage": "live", "note": "Kept"})
    assert "new version" in refused.context["form"].errors["breaks"][0]
    assert 'value="Kept"' in refused.content.decode()
    assert live(version).deployment.number == 1
    done = alice.post(address("version-deploy", version), {"stage": "live", "breaks": "on"})
    assert done["Location"] == address("version-live", version)
    assert live(version).deployment.number == 2


def test_a_deploy_to_a_new_stage_asks_nothing(alice, version):
    alice.post(address("version-deploy", version), {"stage": "test", "note": "Try"})
    stage = version.stages.get(name="test")
    assert stage.deployment.note == "Try"
    bad = alice.post(address("version-deploy", version), {"stage": "no stage"})
    assert "letters, digits" in bad.context["form"].non_field_errors()[0]


def test_rolling_back_and_promoting_say_what_callers_notice(alice, version):
    replace_document(version=version, document=make_document("/get"), actor=None)
    deploy(version=version, stage_name="test", actor=None)
    stage, test = live(version), version.stages.get(name="test")
    question = alice.get(address("stage-promote", test, "live"))
    assert "1 breaking change" in question.content.decode()
    alice.post(address("stage-promote", test, "live"))
    stage.refresh_from_db()
    assert stage.deployment.number == 2
    first = version.deployments.get(number=1)
    assert "GET /old" in alice.get(address("stage-roll-back", stage, first)).content.decode()
    alice.post(address("stage-roll-back", stage, first))
    stage.refresh_from_db()
    assert stage.deployment == first
    to = alice.get(address("stage-promote-new", test), {"to": "beta"})
    assert to["Location"] == address("stage-promote", test, "beta")
    assert alice.get(address("stage-promote-new", test), {"to": "no name"})["Location"] == address(
        "stage", test
    )


def test_a_canary_is_started_compared_and_promoted(alice, version):
    stage = live(version)
    second = deploy(version=version, stage_name="next", actor=None)
    typed = {"deployment": second.pk, "percent": "25", "variables": "A=1"}
    refused = alice.post(address("stage-canary", stage), typed | {"percent": "250", "variables": "A"})
    assert set(refused.context["form"].errors) == {"percent", "variables"}
    alice.post(address("stage-canary", stage), typed)
    stage.refresh_from_db()
    assert (stage.canary_percent, stage.canary_variables) == (25, {"A": "1"})
    AuditEvent.objects.update(at=NOON)
    use(
        make_row(stage, minute=NOON - timedelta(minutes=1), calls=700, canary=True),  # an earlier canary's
        make_row(stage, calls=300),
        make_row(stage, calls=60, canary=True),
        make_row(stage, calls=40, canary=True, status_class=5, verdict="INTEGRATION_FAILURE"),
    )
    found = compare(stage, NOON + timedelta(minutes=2))
    assert (found.base.calls, found.canary.calls, found.share) == (300, 100, 25)
    assert (found.tone, found.words) == ("error", "The canary answers with more 5xx than chance explains.")
    fragment = alice.get(address("stage", stage), {"fragment": "1"}).content.decode()
    assert "Stable, #1" in fragment
    assert "stage-canary" not in fragment
    assert "canary ends" in alice.get(address("stage-canary-promote", stage)).content.decode()
    alice.post(address("stage-canary-promote", stage))
    stage.refresh_from_db()
    assert (stage.deployment, stage.canary_deployment, stage.variables) == (second, None, {"A": "1"})
    assert alice.get(address("stage-canary-promote", stage)).status_code == 404


def test_a_canary_is_compared_by_operation_in_words(alice, version):
    stage = live(version)
    set_canary(stage=stage, percent=25, actor=None)
    minute = now().replace(second=0, microsecond=0) - timedelta(minutes=5)
    AuditEvent.objects.update(at=minute)
    get, old = (version.operations.get(path=path).pk for path in ("/get", "/old"))
    use(
        make_row(stage, minute=minute, operation=get, calls=300),
        make_row(stage, minute=minute, operation=get, calls=100, canary=True),
        make_row(stage, minute=minute, operation=old, calls=90),
        make_row(stage, minute=minute, operation=old, calls=40, canary=True),
        make_row(stage, minute=minute, operation=old, calls=20, canary=True, status_class=5),
    )
    found = compare(stage, minute + timedelta(minutes=2))
    rows = [(row.pair.name, row.tone, row.words) for row in found.operations]
    assert rows == [("GET /old", "bad", "Canary worse: more 5xx"), ("GET /get", "", "No difference")]
    worst = found.operations[0].pair
    assert (worst.base.calls, worst.canary.calls, worst.canary.errors, found.more) == (90, 60, 20, 0)
    assert worst.base.p95 is not None
    fragment = alice.get(address("stage", stage), {"fragment": "1"}).content.decode()
    assert "Canary worse: more 5xx" in fragment
    assert "0 × 4xx, 20 × 5xx" in fragment


@pytest.mark.parametrize(
    ("base", "canary", "said"),
    [
        (Half(29, 0, 0, 10), Half(900, 0, 0, 99), ("", "Too few calls to tell")),
        (Half(900, 0, 0, 100), Half(300, 0, 0, 150), ("bad", "Canary worse: p95 50 % slower")),
        (
            Half(900, 90, 90, 200),
            Half(300, 0, 0, 100),
            ("good", "Stable worse: more 5xx, more 4xx, p95 100 % slower"),
        ),
        (Half(900, 0, 0, 100), Half(99, 0, 0, 150), ("", "No difference")),
        (Half(900, 9, 0, 100), Half(300, 30, 0, 100), ("bad", "Canary worse: more 4xx")),
        (Half(900, 9, 9, 100), Half(300, 3, 3, 110), ("", "No difference")),
    ],
)
def test_who_is_worse_at_an_operation_is_said_in_words(base, canary, said):
    assert judge_operation(base, canary) == said


def test_a_comparison_begins_when_the_canary_got_its_deployment(version):
    stage = live(version)
    set_canary(stage=stage, percent=10, actor=None)
    begun = now()
    set_canary(stage=stage, percent=20, actor=None)
    assert compare(stage).since <= begun


def summary(calls: int, errors_4xx: int = 0, errors_5xx: int = 0, p90: float = 10) -> Summary:
    return Summary(calls, calls, errors_4xx, errors_5xx, 0, 0, 5, p90, 20, 6)


@pytest.mark.parametrize(
    ("base", "canary", "tone"),
    [
        (summary(1_000), summary(29), ""),
        (summary(0), summary(500), ""),
        (summary(1_000, 10, 1), summary(100, 1, 0), "good"),
        (summary(1_000, 10, 1), summary(100, 20, 0), "error"),
        (summary(1_000), summary(100, p90=30), "warning"),
    ],
)
def test_a_canary_is_judged_only_by_what_chance_does_not_explain(base, canary, tone):
    assert judge(base, canary)[0] == tone


def test_equal_shares_are_never_beyond_chance():
    assert not beyond_chance(0, 100, 0, 100)
    assert not beyond_chance(100, 100, 100, 100)
    assert not beyond_chance(1, 100, 10, 1_000)


def test_the_end_of_a_version_says_who_is_hit(alice, version):
    make_subscription(plan=make_plan(live(version), name="Free"))
    past = alice.post(address("version-deprecate", version), {"sunset_at": "2020-01-01T00:00"})
    assert "future" in past.context["form"].errors["sunset_at"][0]
    alice.post(address("version-deprecate", version), {"sunset_at": "2099-01-31T12:30"})
    version.refresh_from_db()
    assert (version.state, f"{version.sunset_at:%Y-%m-%dT%H:%M}") == ("deprecated", "2099-01-31T12:30")
    question = alice.get(address("version-retire", version)).content.decode()
    assert "403" in question
    assert "1 active subscription of 1 organization, on Free" in question
    alice.post(address("version-retire", version))
    version.refresh_from_db()
    assert version.state == "retired"
    alice.post(address("version-reinstate", version))
    version.refresh_from_db()
    assert (version.state, version.sunset_at) == ("published", None)


def test_policies_are_the_same_as_form_yaml_and_json(alice, version):
    place = address("version-policies", version)
    wrong = alice.post(place, {"timeout_ms": "500", "cors_origins": "nonsense"})
    assert "origin" in wrong.context["form"].errors["cors_origins"][0]
    assert "nonsense" in wrong.content.decode()
    alice.post(place, {"throttle_rate": "5", "throttle_burst": "10", "cors_origins": "https://a.example.com"})
    shown = alice.get(f"{place}?as=yaml").context["form"]["text"].value()
    assert "rate: 5" in shown
    alice.post(f"{place}?as=yaml", {"text": shown.replace("burst: 10", "burst: 20")})
    assert alice.get(place).context["form"]["throttle_burst"].value() == 20
    wrong = alice.post(f"{place}?as=json", {"text": '{"cache": {"ttl": 9999}}'})
    assert wrong.context["form"].errors["text"][0].startswith("cache.ttl: ")
    wrong = alice.post(f"{place}?as=json", {"text": '{"cache": '})
    assert "line 1" in wrong.context["form"].errors["text"][0]
    assert document(version)["x-gatehouse-policy"]["throttle"] == {"rate": 5.0, "burst": 20}


def test_a_stage_and_an_operation_on_it_have_policies_at_once(alice, version):
    stage, operation = live(version), version.operations.get(path="/get")
    place = address("stage-policies", stage)
    alice.post(place, {"timeout_ms": "3000"})
    alice.post(f"{place}?operation={operation.pk}", {"timeout_ms": "500"})
    stage.refresh_from_db()
    assert (stage.policy, stage.operation_policies) == (
        {"timeout_ms": 3000},
        {operation.pk: {"timeout_ms": 500}},
    )
    alice.post(
        address("stage-settings", stage),
        {"throttle_rate": "9", "throttle_burst": "9", "variables": "A=b", "request_log": "errors"},
    )
    stage.refresh_from_db()
    assert (stage.throttle_rate, stage.variables, stage.request_log) == (9, {"A": "b"}, "errors")
    assert "Only refused and failed calls" in alice.get(address("stage", stage)).content.decode()


def test_operations_are_added_changed_and_taken_out(alice, version):
    place = address("version-operations", version)
    alice.post(place, {"do": "add", "method": "POST", "path": "/orders/{id}", "summary": "Change"})
    made = version.operations.get(path="/orders/{id}")
    assert (made.method, made.summary, made.removed_at) == ("POST", "Change", None)
    again = alice.post(place, {"do": "add", "method": "POST", "path": "/orders/{key}"})
    assert "there already" in again.context["form"].errors["path"][0]
    alice.post(address("operation", made), {"edit": "1", "summary": "Change one"})
    made.refresh_from_db()
    assert (made.summary, made.key_required) == ("Change one", False)
    alice.post(place, {"do": "keyed", "operation": [made.pk]})
    made.refresh_from_db()
    assert made.key_required
    alice.post(address("operation-remove", made))
    assert "/orders/{id}" not in document(version)["paths"]


def test_the_document_is_checked_then_saved(alice, version):
    place = address("version-document", version)
    text = written(make_document("/get"), "yaml")
    page = alice.post(place, {"do": "check", "text": text})
    assert page.context["breaking"]
    assert [each.path for each in page.context["changes"]] == ["/old"]
    assert "/old" in document(version)["paths"]
    broken = alice.post(place, {"do": "save", "text": "openapi: 3.0.3\n  a: b"})
    assert broken.context["reading"].line
    done = alice.post(place, {"do": "save", "text": text})
    assert done["Location"] == address("version-deploy", version)
    assert document(version) == make_document("/get")


def test_a_version_offers_its_organizations_backends_and_keeps_its_own(alice, version):
    place, own = address("version-settings", version), version.backend
    others = make_organization(make_user("charlie"), name="Other")
    create_backend(organization=others, name="Theirs", url="http://127.0.0.1:9", actor=None)
    field = alice.get(place).context["form"]["backend"]
    assert [text for value, text in field.field.choices if value] == [str(own)]
    assert f'<option value="{own.pk}" selected>' in str(field)
    alice.post(place, {"place": "header", "backend": own.pk})
    version.refresh_from_db()
    assert version.backend == own


def test_backend_and_keys_of_a_version(alice, version):
    place = address("version-settings", version)
    wrong = alice.post(place, {"place": "header", "name": "Authorization"})
    assert "bearer" in wrong.context["form"].errors["name"][0]
    alice.post(place, {"place": "query", "name": "key", "key_required": "on"})
    version.refresh_from_db()
    assert version.backend is None
    assert document(version)["x-gatehouse-key-source"] == {"place": "query", "name": "key"}


def test_gateway_responses_are_fields_of_the_document(alice, version):
    place = f"{address('version-responses', version)}?type=THROTTLED"
    wrong = alice.post(place, {"status": "429", "headers": "retry", "media_type": "application/json"})
    assert "Name: value" in wrong.context["form"].errors["headers"][0]
    typed = {
        "status": "420",
        "headers": "Retry-After: '9'",
        "media_type": "application/json",
        "template": "{}",
    }
    alice.post(place, typed)
    said = document(version)["x-amazon-apigateway-gateway-responses"]["THROTTLED"]
    assert said["statusCode"] == "420"
    assert said["responseParameters"] == {"gatewayresponse.header.Retry-After": "'9'"}
    assert "status 420 1 header own body" in alice.get(address("version-responses", version)).content.decode()
    alice.post(place, typed | {"do": "reset"})
    assert "x-amazon-apigateway-gateway-responses" not in document(version)
    assert alice.get(f"{address('version-responses', version)}?type=NO").status_code == 404


def test_a_backend_is_changed_with_fields(alice, version):
    place = address("backend", version.backend)
    typed = {"name": "Own", "url": "http://127.0.0.1:9", "weight": "1"}
    typed |= {"connect_timeout_ms": "5000", "timeout_ms": "1000"}
    wrong = alice.post(place, typed | {"servers": "https://b.example.com"})
    assert "one scheme" in wrong.context["form"].errors["servers"][0]
    alice.post(place, typed | {"servers": "http://127.0.0.1:10 3", "retries_attempts": "2"})
    backend = version.backend
    backend.refresh_from_db()
    assert (backend.timeout_ms, backend.targets) == (1000, [{"url": "http://127.0.0.1:10", "weight": 3}])
    assert backend.retries == {"attempts": 2, "on": ["error"]}
