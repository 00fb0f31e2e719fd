"""A limited member on the publishing pages: the APIs that she was given by her rights, and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.http import HttpResponse
from django.urls import reverse

from accounts.models import Member
from apis.grants import Given, set_grants
from apis.models import Api, ApiVersion, Backend
from apis.versions import set_backend
from tests.factories import make_api, make_backend, make_member, make_user
from tests.portal.factories import Shop, make_open_plan, make_shop, publishing_places, signed_in
from tests.portal.publishing_pages import ACTS, PUBLISHING_PAGES, SEES
from tests.portal.test_permissions import address, state_of

pytestmark = pytest.mark.django_db
# hers by a grant; the others are of the whole organization
OF_AN_API = {each for each in PUBLISHING_PAGES if "backend" not in each} - {"provider-apis", "api-register"}
# in the organization's name, so not hers
OF_AN_API -= {"provider-api-people", "provider-api-withdraw"}
SHOWN = {each for each in OF_AN_API if PUBLISHING_PAGES[each] == SEES}
DOCUMENT = """\
openapi: 3.0.3
info: {title: Orders, version: '2'}
paths:
  /orders: {get: {responses: {'200': {description: ok}}}}
"""


@dataclass
class Case:
    """Lena, the shop whose Orders she may be given, and another API of the same shop."""

    shop: Shop
    lena: Member
    other: Api
    places: dict[str, object]

    def give(self, **given: bool) -> None:
        set_grants(member=self.lena, grants={self.shop.api: Given(**given)}, actor=None)

    def asked(self, names: set[str], place: Callable[[str], str], *, post: bool = False) -> dict[str, int]:
        browser = signed_in(self.lena.user)
        ask = (lambda to: browser.post(to, {"do": "save"})) if post else browser.get
        return {name: ask(place(name)).status_code for name in sorted(names)}

    def own(self, name: str) -> str:
        return address(self.shop, name)

    def elsewhere(self, name: str) -> str:
        return reverse(name, args=self.places[name])


@pytest.fixture
def case() -> Case:
    shop = make_shop()
    other = make_api(shop.organization, name="Stock", slug="stock")
    version = make_open_plan(other).stages.get().version
    lena = make_member(shop.organization, make_user("lena"), "limited")
    return Case(shop, lena, other, dict(publishing_places(version)))


def test_without_a_grant_nothing_is_there_and_who_only_sees_changes_nothing(case: Case) -> None:
    few = {"provider-api", "version-operations", "operation", "stage", "version-deploy"}
    assert set(case.asked(few, case.own).values()) == {404}
    case.give()
    before = state_of(case.shop)
    found = case.asked(OF_AN_API, case.own)
    assert {name for name, status in found.items() if status == 200} == SHOWN
    assert {status for name, status in found.items() if name not in SHOWN} == {403}
    assert set(case.asked(OF_AN_API & set(ACTS), case.own, post=True).values()) == {403}
    assert state_of(case.shop) == before
    page = signed_in(case.lena.user).get(case.own("provider-api")).content.decode()
    assert "Deploy" not in page


def test_who_manages_opens_all_of_her_api(case: Case) -> None:
    case.give(manage=True)
    found = case.asked(OF_AN_API, case.own)
    assert found == dict.fromkeys(sorted(OF_AN_API), 200) | {"stage-promote-new": 302}


def test_another_api_of_the_organization_is_not_there(case: Case) -> None:
    case.give(manage=True)
    before = state_of(case.shop)
    assert set(case.asked(SHOWN, case.elsewhere).values()) == {404}
    assert set(case.asked(OF_AN_API & set(ACTS), case.elsewhere, post=True).values()) == {404}
    register = f"{reverse('api-register')}?api={case.other.pk}"
    assert signed_in(case.lena.user).get(register).status_code == 404
    assert state_of(case.shop) == before


def test_what_is_of_the_whole_organization_is_not_hers(case: Case) -> None:
    case.give(manage=True)
    browser, of = signed_in(case.lena.user), f"?organization={case.shop.organization.pk}"
    listing = browser.get(reverse("provider-apis") + of)
    assert (listing.status_code, listing["Location"]) == (302, reverse("granted"))
    assert browser.get(reverse("backends") + of).status_code == 404
    assert browser.get(reverse("backend-new") + of).status_code == 404
    assert browser.get(case.own("backend")).status_code == 404
    assert browser.get(reverse("api-register") + of).status_code == 403
    assert browser.get(case.own("provider-api-people")).status_code == 403
    assert browser.post(case.own("provider-api-withdraw")).status_code == 403
    page = browser.get(case.own("provider-api")).content.decode()
    assert all(reverse(name) not in page for name in ("customers", "backends", "provider-audit"))


def test_she_does_what_her_grant_allows(case: Case) -> None:
    case.give(manage=True)
    browser, version = signed_in(case.lena.user), case.shop.api.versions.get()
    set_backend(version=version, backend=make_backend(case.shop.organization), actor=None)
    browser.post(
        case.own("version-operations"), {"do": "add", "method": "GET", "path": "/new", "summary": ""}
    )
    assert version.operations.filter(path="/new", removed_at=None).exists()
    stage = version.stages.get()
    browser.post(case.own("stage-canary-remove"))
    browser.post(
        case.own("stage-settings"), {"request_log": "all", "throttle_rate": "7", "throttle_burst": "9"}
    )
    stage.refresh_from_db()
    assert (stage.canary_deployment_id, stage.throttle_rate) == (None, 7)
    deployed = browser.post(case.own("version-deploy"), {"stage": "live", "note": "By Lena", "breaks": "on"})
    assert deployed["Location"] == case.own("version-live")
    assert version.deployments.latest("created_at").created_by == case.lena.user


def test_she_registers_a_version_but_no_backend_and_no_plan(case: Case) -> None:
    case.give(manage=True)
    version, stock = case.shop.api.versions.get(), case.other.versions.get()
    serving, hidden = make_backend(case.shop.organization), make_backend(case.shop.organization)
    set_backend(version=version, backend=serving, actor=None)
    set_backend(version=stock, backend=hidden, actor=None)
    known = Backend.objects.count()

    def publish(backend: Backend) -> HttpResponse:
        sent = {"do": "publish", "text": DOCUMENT, "version": "v2", "backend": backend.pk}
        more = {"backend_url": "http://127.0.0.1:9", "plan": "new", "plan_name": "Mine"}
        return signed_in(case.lena.user).post(
            f"{reverse('api-register')}?api={case.shop.api.pk}", sent | more
        )

    assert "Select a valid choice" in publish(hidden).content.decode()
    assert publish(serving).status_code == 302
    made = ApiVersion.objects.get(api=case.shop.api, name="v2")
    assert made.backend == serving
    assert Backend.objects.count() == known
    assert not case.shop.organization.usage_plans.filter(name="Mine").exists()


def test_she_chooses_among_the_backends_of_her_apis(case: Case) -> None:
    case.give(manage=True)
    hidden = make_backend(case.shop.organization, name="Vault")
    page = signed_in(case.lena.user).get(case.own("version-settings")).content.decode()
    assert "Vault" not in page
    signed_in(case.lena.user).post(case.own("version-settings"), {"backend": hidden.pk, "place": "header"})
    assert case.shop.api.versions.get().backend_id != hidden.pk


def test_a_suspended_organization_is_only_seen(case: Case) -> None:
    case.give(manage=True)
    case.shop.organization.suspended_at = case.shop.organization.created_at
    case.shop.organization.save()
    found = case.asked({"provider-api", "stage", "stage-settings", "version-deploy", "backend-new"}, case.own)
    assert found == {"backend-new": 404, "provider-api": 200, "stage": 200} | dict.fromkeys(
        ("stage-settings", "version-deploy"), 403
    )
