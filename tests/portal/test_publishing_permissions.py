"""Publishing pages: who may open them, who may act, and how often they ask the database. One shop for all of them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_backend, make_operation, make_plan, make_stage, make_version
from tests.portal.factories import PEOPLE, Shop, make_shop, people_of, signed_in
from tests.portal.publishing_pages import ACTS, PUBLISHING_PAGES
from tests.portal.test_permissions import address, met, state_of

pytestmark = pytest.mark.django_db

LISTS = (
    "provider-apis",
    "provider-api",
    "backends",
    "stage",
    "stage-policies",
    "version-live",
    "version-operations",
    "version-deploy",
    "operation",
)


def test_each_page_opens_for_whom_it_is_meant() -> None:
    shop = make_shop()
    browsers = {who: signed_in(person) for who, person in people_of(shop).items()}
    found = {
        name: " ".join(met(browsers[who].get(address(shop, name))) for who in PEOPLE)
        for name in PUBLISHING_PAGES
    }
    assert found == PUBLISHING_PAGES


def test_nobody_acts_without_the_right() -> None:
    shop = make_shop()
    people = people_of(shop)
    before = state_of(shop)
    expected = {"anonymous": "login", "foreign": "404", "billing": "403"}
    for who, answer in expected.items():
        browser = signed_in(people[who])
        found = {name: met(browser.post(address(shop, name), {"do": "save"})) for name in ACTS}
        assert found == dict.fromkeys(ACTS, answer), who
    assert state_of(shop) == before


def test_pages_ask_as_often_for_three_rows_as_for_one() -> None:
    shop = make_shop()
    one = asked(shop)
    version = shop.plan.stages.get().version
    for number in range(2):
        make_backend(shop.organization)
        make_operation(version)
        make_plan(make_stage(version, name=f"more-{number}"))
        make_stage(make_version(shop.api))
    more = asked(shop)
    assert {name: count for name, count in more.items() if count > one[name]} == {}
    assert {name: count for name, count in more.items() if count > 20} == {}


def asked(shop: Shop) -> dict[str, int]:
    """How many queries each page needs."""
    browser = signed_in(shop.alice)
    found = {}
    for name in LISTS:
        page = address(shop, name)
        browser.get(page)  # the session and the content types are looked up once
        with CaptureQueriesContext(connection) as queries:
            assert browser.get(page).status_code == 200
        found[name] = len(queries)
    return found
