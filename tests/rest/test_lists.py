"""Lists: pages, filters, order, search, and as many queries for three rows as for one."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apis.models import Visibility
from rest.urls import RESOURCES
from tests.factories import (
    make_api,
    make_application,
    make_key,
    make_mapping,
    make_operation,
    make_plan,
    make_stage,
    make_subscription,
    make_version,
)
from tests.rest.factories import make_world
from tests.rest.problems import fault

TENANT = [name for name in RESOURCES if name not in ("nodes", "site-pages")]


def queries(ask) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert ask().status_code == 200
    return len(caught)


def asked(alice, names) -> tuple[dict[str, int], dict[str, int]]:
    """How many queries and how many rows each list takes and shows, once it was asked before."""
    rows = {name: alice.get(name).json()["count"] for name in names}
    return {name: queries(lambda: alice.get(name)) for name in names}, rows  # noqa: B023 -- called at once


def test_a_list_of_three_needs_no_more_queries_than_one_of_one(alice, charlie):
    # one world for all lists: making it takes longer than to ask for them
    def fill():
        make_world(alice.organization)
        # a deployed public API of a stranger, for the catalogue
        stage = make_stage(make_version(make_api(charlie.organization)))
        make_mapping(stage)
        make_plan(stage)

    fill()
    one, rows = asked(alice, TENANT)
    fill()
    fill()
    three, more = asked(alice, TENANT)
    assert {name for name in TENANT if more[name] < rows[name] + 2} == {"organizations"}
    assert three == one
    assert {name: taken for name, taken in one.items() if taken > 10} == {}


def test_reading_one_thing_takes_few_queries(alice):
    world = make_world(alice.organization)
    names = [f"{name}/{world.ids[name]}" for name in TENANT if name != "catalogue"]
    for name in names:
        alice.get(name)
    taken = {name: queries(lambda: alice.get(name)) for name in names}  # noqa: B023 -- called at once
    assert {name: number for name, number in taken.items() if number > 10} == {}


def test_nodes_are_listed_with_constant_queries(staff):
    staff.made("nodes", {"name": "berlin-1"})
    one = queries(lambda: staff.get("nodes"))
    staff.made("nodes", {"name": "berlin-2"})
    staff.made("nodes", {"name": "berlin-3"})
    assert queries(lambda: staff.get("nodes")) == one
    assert [row["name"] for row in staff.get("nodes", search="berlin-2").json()["results"]] == ["berlin-2"]


def test_pages_follow_each_other_without_gap_or_overlap(alice):
    for number in range(7):
        make_api(alice.organization, name="Same name", slug=f"same-{number}")
    seen: list[str] = []
    page = alice.get("apis", limit=3).json()
    assert (page["count"], page["previous"]) == (7, None)
    while True:
        seen += [row["id"] for row in page["results"]]
        if page["next"] is None:
            break
        page = alice.client.get(page["next"]).json()
    assert len(seen) == len(set(seen)) == 7
    assert page["previous"] is not None


def test_a_page_holds_25_unless_told_otherwise(alice):
    for number in range(26):
        make_api(alice.organization, slug=f"number-{number}")
    assert len(alice.get("apis").json()["results"]) == 25
    assert len(alice.get("apis", limit=500).json()["results"]) == 26


@pytest.mark.parametrize(("name", "value"), [("limit", 501), ("limit", 0), ("limit", "many"), ("offset", -1)])
def test_a_page_size_out_of_range_is_refused(alice, name, value):
    fault(alice.get("apis", **{name: value}), name, "out_of_range")


def test_lists_are_filtered(alice):
    weather = make_api(alice.organization, slug="weather", visibility=Visibility.PRIVATE)
    tides = make_api(alice.organization, slug="tides")
    version = make_version(tides)
    assert ids(alice.get("apis", slug="weather")) == [weather.pk]
    assert ids(alice.get("apis", visibility="public")) == [tides.pk]
    assert ids(alice.get("versions", api=tides.pk)) == [version.pk]
    assert ids(alice.get("versions", api=weather.pk)) == []
    assert ids(alice.get("versions", api_slug="tides", state="published")) == [version.pk]
    fault(alice.get("apis", visibility="secret"), "visibility", "invalid_choice")


def test_keys_and_subscriptions_are_filtered(alice):
    one, other = make_application(alice.organization), make_application(alice.organization)
    subscription = make_subscription(one, make_plan(organization=alice.organization))
    make_subscription(other, state="cancelled")
    key, _ = make_key(one)
    make_key(other, state="revoked")
    assert ids(alice.get("keys", application=one.pk)) == [key.pk]
    assert ids(alice.get("keys", state="active")) == [key.pk]
    assert ids(alice.get("subscriptions", plan=subscription.plan_id)) == [subscription.pk]
    assert ids(alice.get("subscriptions", state="active")) == [subscription.pk]


def test_operations_are_filtered_by_method_and_path(alice):
    version = make_version(make_api(alice.organization))
    wanted = make_operation(version, method="POST", path="/orders")
    make_operation(version, method="GET", path="/orders")
    assert ids(alice.get("operations", method="post", path="/orders")) == [wanted.pk]
    assert len(ids(alice.get("operations", removed="false"))) == 2
    assert ids(alice.get("operations", removed="true")) == []


def test_lists_are_ordered_and_searched(alice):
    first = make_api(alice.organization, name="Anemone", slug="anemone")
    second = make_api(alice.organization, name="Barnacle", slug="barnacle")
    assert ids(alice.get("apis", ordering="-name")) == [second.pk, first.pk]
    assert ids(alice.get("apis", search="barn")) == [second.pk]
    message = fault(alice.get("apis", ordering="nmae"), "ordering", "unknown_field")
    assert "Did you mean `name`?" in message


def test_a_filter_takes_odd_text_without_harm(alice):
    for value in ("'", "%", "\\", "ü" * 10, "0"):
        assert alice.get("apis", slug=value).json()["results"] == []
    fault(alice.get("apis", slug="a\x00b"), "slug")
    fault(alice.get("versions", api="x" * 11), "api")


def test_a_slash_at_the_end_is_taken(alice):
    make_world(alice.organization)
    assert alice.get("apis/").json()["count"] == 1
    assert alice.get("usage/").status_code == 200


def ids(response) -> list[str]:
    assert response.status_code == 200, response.content
    return [row["id"] for row in response.json()["results"]]
