"""Where stages answer: host + base path, and whose they are."""

import pytest

from accounts.errors import Refused
from apis.addresses import set_execute_api_endpoint
from apis.models import BasePathMapping
from apis.publish import map_base_path, move_base_path, unmap
from apis.queries import canonical_address, stage_addresses
from apis.signals import mappings_changed
from tests.factories import audit_actions, make_api, make_stage, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    found = []
    mappings_changed.connect(lambda addresses, **_: found.extend(addresses), weak=False, dispatch_uid="t")
    yield found
    mappings_changed.disconnect(dispatch_uid="t")


def refused(stage, **given):
    with pytest.raises(Refused) as caught:
        map_base_path(stage=stage, actor=None, **given)
    return caught.value


def test_an_address_is_mapped_moved_and_unmapped(heard):
    stage = make_stage()
    other = make_stage(stage.version, name="next")
    mapping = map_base_path(stage=stage, host="API.Example.com.", base_path="/shop/v1/", actor=None)
    assert (mapping.host, mapping.base_path) == ("api.example.com", "shop/v1")
    again = map_base_path(stage=stage, host="api.example.com", base_path="shop/v1", actor=None)
    assert again == mapping
    assert move_base_path(mapping=mapping, stage=other, actor=None).stage == other
    unmap(mapping=mapping, actor=None)
    assert not BasePathMapping.objects.exists()
    assert heard == ["api.example.com|shop/v1"] * 3
    assert audit_actions() == ["mapping.created", "mapping.moved", "mapping.removed"]


@pytest.mark.parametrize(
    "base_path", ["ping", "sping/x", "a//b", "a b", "a?b", "../a", ".", "x" * 201, "a%2Fb", "ü"]
)
def test_a_base_path_must_be_plain_segments(base_path):
    assert refused(make_stage(), base_path=base_path).field == "base_path"


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "::1", "a b.example", "-a.example", "a_b.example", "http://a.example",
     "a.example:80", "x.execute-api.example", "x" * 64 + ".example", "*.example.com"],
)  # fmt: skip
def test_a_host_must_be_a_dns_name_of_ones_own(host):
    assert refused(make_stage(), host=host).field == "host"


def test_the_gateways_own_name_is_the_shared_host(settings):
    settings.GATEWAY_URL = "https://gw.example.com"
    assert "shared host" in refused(make_stage(), host="gw.example.com").message


def test_an_address_leads_to_one_stage_only():
    first = make_stage()
    second = make_stage(first.version, name="next")
    map_base_path(stage=first, base_path="shop", actor=None)
    error = refused(second, base_path="shop")
    assert (error.field, error.code) == ("base_path", "taken")


def test_nobody_takes_a_host_of_another_organization():
    map_base_path(stage=make_stage(), host="api.example.com", base_path="a", actor=None)
    error = refused(make_stage(), host="api.example.com", base_path="b")
    assert (error.field, error.code) == ("host", "taken")


def test_on_the_shared_host_nobody_takes_an_address_of_anothers_api_nor_the_root():
    stage = make_stage()
    map_base_path(stage=stage, base_path="", actor=None)
    make_api(slug="theirs")
    assert refused(stage, base_path="theirs/v1").code == "taken"
    assert refused(make_stage(make_version(stage.version.api)), base_path="").field == "base_path"
    assert map_base_path(stage=stage, base_path=f"{stage.version.api.slug}/x", actor=None).pk


def test_an_address_moves_only_within_its_organization():
    mapping = map_base_path(stage=make_stage(), base_path="a", actor=None)
    with pytest.raises(Refused) as caught:
        move_base_path(mapping=mapping, stage=make_stage(), actor=None)
    assert caught.value.field == "stage"


def test_the_shared_host_keeps_api_to_itself_and_a_custom_domain_does_not():
    stage = make_stage()
    assert "api" in refused(stage, base_path="api/shop").message
    assert map_base_path(stage=stage, host="shop.example.com", base_path="api/shop", actor=None)


def test_the_canonical_address_can_be_switched_off_and_on(heard):
    stage = make_stage()
    key = f"{stage.version_id}.execute-api|live"
    for disabled in (True, True, False):
        version = set_execute_api_endpoint(version=stage.version, disabled=disabled, actor=None)
        assert version.disable_execute_api_endpoint is disabled
        stage.version.refresh_from_db()
        assert (canonical_address(stage) in stage_addresses(stage)) is not disabled
    assert heard == [key, key]
    assert audit_actions().count("version.execute_api_endpoint_set") == 2
