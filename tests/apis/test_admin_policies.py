"""The admin console's pages for policies: filled in without JSON, refused at the field."""

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse

from apis.models import ApiVersion, Backend, Stage
from apis.policy.access_log import PRESETS
from apis.policy_forms import PolicyForm, initial_of
from apis.publish import change_stage, deploy, set_canary
from nodes.models import Entry
from tests.apis.factories import document, imported
from tests.factories import make_organization, make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(make_staff("alice"))
    return client


@pytest.fixture
def stage():
    version = imported(document({"/a/{id}": {"get": {"summary": "One"}}, "/b": {"post": {}}}))
    for _ in range(2):
        deploy(version=version, actor=None)
    return version.stages.get()


def page(row, what):
    return reverse(f"admin:apis_{row._meta.model_name}_{what}", args=[row.pk])


def errors(response):
    assert response.status_code == 200, response
    return {name.replace("__all__", ""): found for name, found in response.context["form"].errors.items()}


def said(response):
    return [str(each) for each in get_messages(response.wsgi_request)]


FILLED = {
    "throttle_rate": "2.5",
    "throttle_burst": "0",
    "cache_ttl": "60",
    "cache_keys": "query.page\nheader.Accept\n",
    "cache_invalidation": "refuse",
    "cors_origins": "https://a.example",
    "cors_methods": "get, POST",
    "cors_headers": "X-A",
    "cors_max_age": "60",
    "cors_credentials": "on",
    "ip_allow": "192.0.2.7\n10.0.0.0/8",
    "retries_attempts": "2",
    "retries_on": ["error", "503"],
    "timeout_ms": "100",
    "max_body": "0",
}
POLICY = {
    "throttle": {"rate": 2.5, "burst": 0},
    "cache": {"ttl": 60, "keys": ["query.page", "header.accept"], "invalidation": "refuse"},
    "cors": {
        "origins": ["https://a.example"],
        "methods": ["GET", "POST"],
        "headers": ["X-A"],
        "max_age": 60,
        "credentials": True,
    },
    "ip": {"allow": ["192.0.2.7/32", "10.0.0.0/8"], "deny": []},
    "retries": {"attempts": 2, "on": ["error", "503"]},
    "timeout_ms": 100,
    "max_body": 0,
}


def test_the_policies_of_a_stage_are_filled_in_and_shown_again(staff, stage):
    url = page(stage, "policies_page")
    assert staff.get(url).status_code == 200
    response = staff.post(url, FILLED)
    assert response.url == page(stage, "change")
    stage.refresh_from_db()
    assert stage.policy == POLICY
    shown = staff.get(page(stage, "change")).content.decode()
    assert "Throttle" in shown
    assert "Live on" in shown
    again = PolicyForm(initial=initial_of(stage.policy)).initial
    assert again["cors_methods"] == "GET, POST"
    assert staff.post(url, {}).status_code == 302
    stage.refresh_from_db()
    assert stage.policy == {}


@pytest.mark.parametrize("policy", [POLICY, {}, {"cache": None}, {"ip": {"allow": [], "deny": ["::/0"]}}])
def test_what_the_form_shows_of_a_policy_says_the_same_policy(policy):
    data = {
        name: value for name, value in initial_of(policy).items() if value is not None and value is not False
    }
    form = PolicyForm(data)
    assert form.is_valid(), form.errors
    given = form.policy()
    if "ip" in given:
        given["ip"] = {"allow": [], "deny": []} | given["ip"]
    assert given == policy


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("cache_ttl", {"cache_ttl": "4000"}),
        ("cache_ttl", {"cache_keys": "query.page"}),
        ("cache_keys", {"cache_ttl": "5", "cache_keys": "page"}),
        ("cors_origins", {"cors_methods": "GET"}),
        ("cors_origins", {"cors_origins": "nowhere"}),
        ("cors_credentials", {"cors_origins": "*", "cors_credentials": "on"}),
        ("ip_deny", {"ip_deny": "10.0.0.1/8"}),
        ("throttle_burst", {"throttle_rate": "5"}),
        ("retries_attempts", {"retries_attempts": "9"}),
        ("timeout_ms", {"timeout_ms": "5"}),
        ("off", {"cache_ttl": "5", "off": ["cache"]}),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_at_its_field(staff, stage, field, given):
    answer = staff.post(page(stage, "policies_page"), given)
    assert list(errors(answer)) == [field]
    top = answer.content.decode().split("<fieldset")[0]
    assert "Nothing was saved." in top
    assert f'href="#id_{field}"' in top
    stage.refresh_from_db()
    assert stage.policy == {}


def test_operations_of_a_stage_are_listed_searched_and_given_policies(staff, stage):
    one = stage.version.operations.get(path="/a/{id}")
    url = page(stage, "operations_page")
    assert "/a/{id}" in staff.get(url).content.decode()
    assert "/a/{id}" not in staff.get(url, {"q": "post"}).content.decode()
    own = f"{url}?operation={one.pk}"
    assert "Asked of this operation now" in staff.get(own).content.decode()
    assert staff.post(own, {"max_body": "5", "off": ["cache"]}).url == url
    stage.refresh_from_db()
    assert stage.operation_policies == {one.pk: {"max_body": 5, "cache": None}}
    assert "Cache: off, Body limit" in staff.get(url).content.decode()
    assert "max_body" in errors(staff.post(own, {"max_body": "-1"}))
    assert staff.post(own, {"max_body": "5", "do": "reset"}).status_code == 302
    stage.refresh_from_db()
    assert stage.operation_policies == {}
    other = imported(document({"/x": {"get": {}}})).operations.get()
    assert staff.get(f"{url}?operation={other.pk}").status_code == 404


@pytest.mark.parametrize("preset", PRESETS)
def test_the_access_log_has_presets(staff, stage, preset):
    assert staff.post(page(stage, "log_page"), {"preset": preset, "request_log": "all"}).status_code == 302
    stage.refresh_from_db()
    assert stage.access_log == PRESETS[preset]


def test_the_access_log_may_be_ones_own_and_compression_goes_with_it(staff, stage):
    url = page(stage, "log_page")
    assert staff.get(url).status_code == 200
    given = {"access_log": "$context.requestId", "compress_from": "10", "request_log": "off"}
    assert staff.post(url, given).status_code == 302
    stage.refresh_from_db()
    assert (stage.access_log, stage.compress_from, stage.request_log) == ("$context.requestId", 10, "off")
    assert "access_log" in errors(staff.post(url, {"access_log": "$context.status", "request_log": "off"}))
    assert "request_log" in errors(staff.post(url, {"request_log": "some"}))
    assert staff.post(url, {"request_log": "all"}).status_code == 302
    stage.refresh_from_db()
    assert (stage.access_log, stage.compress_from, stage.request_log) == ("", None, "all")


def test_a_canary_is_started_stopped_promoted_and_removed(staff, stage):
    url = page(stage, "canary_page")
    first = stage.version.deployments.get(number=1)
    assert 'name="do"' not in staff.get(url).content.decode()  # there is none to stop, promote or remove
    data = {"deployment": first.pk, "percent": "12.5", "variables": "a=b=c\n\nd=", "use_cache": "on"}
    assert said(staff.post(url, data))[-1].endswith("gets 12.5 percent of the calls.")
    stage.refresh_from_db()
    assert (stage.canary_deployment, stage.canary_percent) == (first, 12.5)
    assert (stage.canary_variables, stage.canary_use_cache) == ({"a": "b=c", "d": ""}, True)
    assert staff.get(url).content.decode().count('name="do"') == 3
    assert "#1 gets 12.5 percent" in staff.get(page(stage, "change")).content.decode()
    assert "variables" in errors(staff.post(url, data | {"variables": "nonsense"}))
    assert "percent" in errors(staff.post(url, data | {"percent": "101"}))
    deployed = staff.post(page(stage.version, "deploy_page"), {"stage_name": "live"})
    assert said(deployed)[-1] == "The canary of the stage live now runs deployment #3."
    staff.post(url, data | {"do": "stop"})
    stage.refresh_from_db()
    assert stage.canary_percent == 0
    staff.post(url, data | {"do": "promote"})
    stage.refresh_from_db()
    assert (stage.deployment.number, stage.canary_deployment.number) == (3, 3)
    staff.post(url, data | {"do": "remove"})
    stage.refresh_from_db()
    assert stage.canary_deployment is None


def test_a_cache_is_flushed_by_a_button(staff, stage):
    url = page(stage, "flush_page")
    assert staff.get(url).status_code == 200
    assert staff.post(url).status_code == 302
    assert Stage.objects.get().cache_epoch == 1


def test_the_stages_page_shows_why_nodes_do_not_have_its_newest_state(staff, stage):
    Entry.objects.filter(kind="stage", key=stage.pk).update(problem="It cannot be made: no good.")
    assert "It cannot be made: no good." in staff.get(page(stage, "change")).content.decode()


def test_the_stages_page_shows_remarks(staff, stage):
    change_stage(
        stage=stage,
        throttle_rate=1,
        throttle_burst=1,
        policy={"throttle": {"rate": 5, "burst": 1}},
        actor=None,
    )
    assert "5 calls a second is more than the 1" in staff.get(page(stage, "change")).content.decode()


def test_what_the_document_says_is_filled_in(staff, stage):
    version = stage.version
    assert staff.get(page(version, "policies_page")).status_code == 200
    assert staff.post(page(version, "policies_page"), {"cache_ttl": "5"}).status_code == 302
    url = page(version, "keys_page")
    assert staff.get(url).status_code == 200
    assert staff.post(url, {"place": "query", "name": "key", "compress_from": "9"}).status_code == 302
    assert "name" in errors(staff.post(url, {"place": "query"}))
    version = ApiVersion.objects.get()
    assert version.document["x-gatehouse-policy"] == {"cache": {"ttl": 5}}
    assert version.document["x-gatehouse-key-source"] == {"place": "query", "name": "key"}
    assert version.document["x-amazon-apigateway-minimum-compression-size"] == 9


def test_gateway_responses_are_listed_changed_and_reset(staff, stage):
    version = stage.version
    url = page(version, "responses_page")
    assert "QUOTA_EXCEEDED" in staff.get(url).content.decode()
    own = f"{url}?type=THROTTLED"
    assert staff.get(own).status_code == 200
    data = {
        "status": "503",
        "headers": "Retry-After: '1'\nX-Id: context.requestId",
        "media_type": "application/json",
        "template": '{"m": 1}',
    }
    assert staff.post(own, data).url == url
    version = ApiVersion.objects.get()
    assert version.document["x-amazon-apigateway-gateway-responses"] == {
        "THROTTLED": {
            "statusCode": "503",
            "responseParameters": {
                "gatewayresponse.header.Retry-After": "'1'",
                "gatewayresponse.header.X-Id": "context.requestId",
            },
            "responseTemplates": {"application/json": '{"m": 1}'},
        }
    }
    assert "status 503, 2 headers, 1 templates" in staff.get(url).content.decode()
    assert "headers" in errors(staff.post(own, data | {"headers": "X: plain"}))
    assert "headers" in errors(staff.post(own, data | {"headers": "nonsense"}))
    assert staff.post(own, data | {"do": "reset"}).status_code == 302
    version = ApiVersion.objects.get()
    assert "x-amazon-apigateway-gateway-responses" not in version.document
    assert staff.get(f"{url}?type=TEAPOT").status_code == 404


def test_an_operations_policy_is_written_into_the_document(staff, stage):
    operation = stage.version.operations.get(path="/b")
    url = page(operation, "policy_page")
    assert staff.get(url).status_code == 200
    assert staff.post(url, {"max_body": "7"}).status_code == 302
    assert ApiVersion.objects.get().document["paths"]["/b"]["post"]["x-gatehouse-policy"] == {"max_body": 7}


def test_a_backend_gets_further_servers_health_and_retries(staff):
    data = {
        "organization": make_organization().pk,
        "name": "B",
        "url": "http://a/x",
        "weight": "2",
        "servers": "http://b 3\nhttp://c/x",
        "health_failures": "2",
        "health_rest_ms": "500",
        "retries_attempts": "1",
        "retries_on": ["error", "timeout"],
        "connect_timeout_ms": "100",
        "timeout_ms": "1000",
    }
    assert staff.post(reverse("admin:apis_backend_add"), data).status_code == 302
    backend = Backend.objects.get()
    assert (backend.weight, backend.health) == (2, {"failures": 2, "rest_ms": 500})
    assert backend.targets == [{"url": "http://b/x", "weight": 3}, {"url": "http://c/x", "weight": 1}]
    assert backend.retries == {"attempts": 1, "on": ["error", "timeout"]}
    url = page(backend, "change")
    assert staff.get(url).status_code == 200
    assert staff.post(url, data | {"health_rest_ms": "900"}).status_code == 302
    backend.refresh_from_db()
    assert backend.health == {"failures": 2, "rest_ms": 900}
    assert len(backend.targets) == 2
    for field, given in (
        ("servers", {"servers": "https://b"}),
        ("servers", {"servers": "http://b x"}),
        ("health_rest_ms", {"health_rest_ms": ""}),
        ("retries_attempts", {"retries_attempts": "7"}),
    ):
        response = staff.post(url, data | given)
        assert field in response.context["adminform"].form.errors, given
    empty = {"servers": "", "health_failures": "", "health_rest_ms": "", "retries_attempts": ""}
    assert staff.post(url, data | empty | {"retries_on": []}).status_code == 302
    backend.refresh_from_db()
    assert (backend.targets, backend.health, backend.retries) == ([], None, None)


def test_the_pages_are_for_staff_only(client, stage):
    set_canary(stage=stage, actor=None)
    client.force_login(make_user("charlie"))
    for what in ("policies_page", "operations_page", "log_page", "canary_page", "flush_page"):
        assert client.get(page(stage, what)).status_code == 302
        assert client.post(page(stage, what), {}).status_code == 302
    assert Stage.objects.get().cache_epoch == 0
