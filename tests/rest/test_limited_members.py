"""Tokens of members who are limited to chosen APIs: nothing else of the organization is there."""

from collections.abc import Callable

import pytest

from accounts.models import Organization, Role
from apis.grants import Given, set_grants
from apis.models import Api
from rest.caller import OF_AN_API
from rest.urls import RESOURCES
from tests.factories import make_backend, make_member, make_organization, make_user
from tests.rest.conftest import Program
from tests.rest.factories import World, make_world

pytestmark = pytest.mark.django_db
OF_APIS = {name for name, views in RESOURCES.items() if views.model in OF_AN_API and name != "catalogue"}


@pytest.fixture(scope="module")
def shop(shared_rows: None) -> Organization:
    return make_organization(make_user("alice"), name="Shop", slug="shop")


@pytest.fixture(scope="module")
def given(shop: Organization) -> World:
    """The API that Lena was given, with all that hangs on it."""
    return make_world(shop)


@pytest.fixture(scope="module")
def other(shop: Organization) -> World:
    """Another API of the same organization."""
    return make_world(shop)


@pytest.fixture
def lena(shop: Organization, given: World, program: Callable[..., Program]) -> Callable[..., Program]:
    """Lena's program, with what she may do with the API that she was given."""
    member = make_member(shop, make_user("lena"), Role.LIMITED)

    def make(**grant: bool) -> Program:
        set_grants(member=member, grants={Api.objects.get(pk=given.ids["apis"]): Given(**grant)}, actor=None)
        return program(shop, member.user)

    return make


@pytest.mark.parametrize("name", RESOURCES)
def test_lists_hold_only_what_is_of_her_api(
    name: str, lena: Callable[..., Program], given: World, other: World
) -> None:
    answer = lena().get(name)
    if name in OF_APIS:
        found = {row["id"] for row in answer.json()["results"]}
        assert given.ids[name] in found
        assert other.ids[name] not in found
    elif name == "catalogue":
        assert other.ids["apis"] not in answer.content.decode()
    else:
        assert answer.status_code == 403
        assert "limited to chosen APIs" in answer.json()["detail"]


@pytest.mark.parametrize("name", sorted(OF_APIS))
def test_one_thing_of_another_api_is_not_there(
    name: str, lena: Callable[..., Program], given: World, other: World
) -> None:
    hers = lena(manage=True)
    assert hers.get(f"{name}/{given.ids[name]}").status_code == 200
    assert hers.get(f"{name}/{other.ids[name]}").status_code == 404


def test_who_only_sees_changes_nothing(lena: Callable[..., Program], given: World) -> None:
    hers = lena()
    assert hers.patch(f"apis/{given.ids['apis']}", {"summary": "Mine"}).status_code == 404
    assert hers.post(f"versions/{given.ids['versions']}/retire").status_code == 404
    answer = hers.post("deployments", {"version": given.ids["versions"], "stage": "live"})
    assert answer.status_code == 422


def test_who_manages_changes_her_api_and_no_other(
    lena: Callable[..., Program], given: World, other: World
) -> None:
    hers = lena(manage=True)
    assert hers.patch(f"apis/{given.ids['apis']}", {"summary": "Mine"}).status_code == 200
    assert (
        hers.patch(f"stages/{given.ids['stages']}", {"throttle_rate": 5, "throttle_burst": 5}).status_code
        == 200
    )
    assert hers.patch(f"apis/{other.ids['apis']}", {"summary": "Mine"}).status_code == 404
    assert hers.patch(f"stages/{other.ids['stages']}", {"throttle_rate": 5}).status_code == 404
    assert hers.post("apis", {"name": "New", "slug": "new"}).status_code == 403
    answer = hers.post("deployments", {"version": other.ids["versions"], "stage": "live"})
    assert answer.json()["errors"][0]["code"] == "does_not_exist"


def test_she_cannot_point_her_api_at_the_organizations_backends(
    lena: Callable[..., Program], given: World, shop: Organization
) -> None:
    backend = make_backend(shop)
    answer = lena(manage=True).patch(f"versions/{given.ids['versions']}", {"backend": backend.pk})
    assert answer.json()["errors"][0]["code"] == "does_not_exist"


def test_her_versions_go_to_a_backend_that_serves_her_api(
    lena: Callable[..., Program], given: World, other: World
) -> None:
    hers, place = lena(manage=True), f"versions/{given.ids['versions']}"
    assert hers.patch(place, {"backend": given.ids["backends"]}).status_code == 200
    assert hers.patch(place, {"backend": other.ids["backends"]}).status_code == 422


@pytest.mark.parametrize("path", ["usage", "usage/estimate", "billing-profile", "quota-alerts"])
def test_what_is_of_the_whole_is_refused(path: str, lena: Callable[..., Program]) -> None:
    assert lena(manage=True, money=True).get(path).status_code == 403


def test_she_asks_about_no_keys(lena: Callable[..., Program], given: World) -> None:
    asked = {"key": given.key, "mode": "check"}
    assert lena(manage=True).post("keys/verify", asked).status_code == 403
