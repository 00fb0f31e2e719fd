"""The pages of the request log: find a call, and read what happened to it."""

from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils.timezone import now

from portal import request_pages
from tests.factories import make_key, make_operation, make_stage
from tests.metering.factories import log_call, make_row, use
from tests.portal.factories import make_shop, people_of, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop():
    return make_shop()


@pytest.fixture
def alice(shop):
    return signed_in(shop.alice)


def text_of(browser, name, *args, **parameters):
    answer = browser.get(reverse(name, args=args), parameters)
    return answer.status_code, answer.content.decode()


def test_the_list_shows_hers_and_not_others(shop, alice):
    key, _ = make_key()
    stage = shop.plan.stages.get()
    log_call(stage, key=key.pk, path="/of-a-customer")
    log_call(make_stage(), path="/of-nobody-here")
    _, mine = text_of(alice, "requests")
    _, sold = text_of(alice, "provider-requests")
    assert "/orders/v1/orders" in mine
    assert "/of-a-customer" not in mine
    assert "/of-a-customer" in sold
    assert "/of-nobody-here" not in mine + sold


def test_a_pasted_id_leads_to_the_call(shop, alice):
    line = shop.places["request"][0]
    answer = alice.get(reverse("requests"), {"id": f" x-amzn-RequestId: {line} "})
    assert (answer.status_code, answer["Location"]) == (302, reverse("request", args=[line]))
    status, page = text_of(alice, "requests", id="orders")
    assert (status, request_pages.NO_ID in page) == (200, True)
    assert 'value="orders"' in page
    _, page = text_of(alice, "requests", id=str(uuid4()))
    assert "Calls are kept for 7 days" in page


def test_nobody_finds_a_call_of_another_organization(shop):
    charlie = signed_in(people_of(shop)["foreign"])
    line = shop.places["request"][0]
    status, page = text_of(charlie, "request", line)
    assert (status, "No call with this id is in your log" in page) == (404, True)
    assert charlie.get(reverse("requests"), {"id": line}).status_code == 200
    assert charlie.get(reverse("provider-request", args=[line])).status_code == 404


def test_a_refused_call_is_explained(shop, alice):
    stage = shop.plan.stages.get()
    operation = make_operation(stage.version, path="/orders/{id}")
    line = log_call(
        stage, operation=operation.pk, key=shop.key.pk, subscription=shop.subscription.pk,
        verdict="THROTTLED", why="plan 5 10", status=429, query="page=2&token=***",
    )  # fmt: skip
    _, page = text_of(alice, "request", line)
    for words in (
        "Too many calls in too short a time",
        "Rule: 5 a second, 10 at once, for the plan",
        "GET /orders/{id}",
        "page=2&amp;token=***",
        "Not billed. Calls with this outcome are not billed.",
        shop.key.name,
    ):
        assert words in page
    assert page.count("Not reached") == 3  # quota, cache and backend


def test_the_cost_is_a_fragment_for_those_who_see_bills(shop):
    line = shop.places["request"][0]
    people = people_of(shop)
    _, page = text_of(signed_in(people["owner"]), "request", line, fragment="cost")
    assert "Billed, and free. The plan has no prices." in page
    _, page = text_of(signed_in(people["member"]), "request", line, fragment="cost")
    assert "not shown to your role" in page
    _, page = text_of(signed_in(people["member"]), "request", line)
    assert "Your role does not show prices" in page


def test_filters_are_kept_and_what_is_wrong_is_said_at_its_field(shop, alice):
    _, page = text_of(alice, "requests", status="abc", path="/orders")
    assert "Write a status such as 404" in page
    assert 'value="abc"' in page
    assert 'value="/orders"' in page
    _, page = text_of(alice, "requests", outcome="refused")
    assert "No call fits" in page
    _, page = text_of(alice, "requests", **{"from": "2026-11-20T14:00", "to": "2026-11-19T14:00"})
    assert "The start must be before the end" in page


def test_what_the_log_left_out_is_said(shop, alice):
    row = make_row(shop.plan.stages.get(), subscription=shop.subscription.pk, key=shop.key.pk, calls=25)
    use(row | {"minute": int(now().timestamp()) // 60 * 60 - 120})
    _, page = text_of(alice, "requests")
    assert "The log has 1 of the 25 calls of this time" in page
    _, page = text_of(alice, "requests", outcome="answered")
    assert "The log has" not in page


def test_an_empty_log_says_what_to_do(shop):
    _, page = text_of(signed_in(people_of(shop)["foreign"]), "requests")
    assert "No calls yet" in page


def test_csv_has_the_rows_of_the_filter(shop, alice):
    answer = alice.get(reverse("requests"), {"csv": "1", "status": "2xx"})
    header, row = answer.getvalue().decode().splitlines()
    assert header.startswith("id,at,method,host,path,query,status")
    assert str(shop.places["request"][0]) in row


def test_staff_finds_a_call_that_reached_no_api(shop):
    line = log_call("", verdict="MISSING_AUTHENTICATION_TOKEN", status=403, path="/nowhere")
    staff = signed_in(people_of(shop)["staff"])
    status, page = text_of(staff, "provider-request", line)
    assert (status, "No API answers at this host and path" in page) == (200, True)
    assert text_of(signed_in(shop.alice), "provider-request", line)[0] == 404
