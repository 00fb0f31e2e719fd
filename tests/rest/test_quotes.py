"""`POST /api/v1/quotes`: prices and quantities in, the lines of a bill out."""

import pytest

from access.models import PlanVisibility
from apis.models import Visibility
from billing.rate_cards import price_plan, set_price
from metering.meters import create_meter
from tests.billing.factories import make_priced_plan, make_rate_card, subscribed
from tests.factories import make_api, make_member, make_plan, make_stage, make_user, make_version
from tests.rest.problems import fault, problem

OPEN = [{"unit_price": "1"}]


def inline(*prices, **fields):
    return {"rate_card": {"prices": list(prices)} | fields, "quantities": {}}


def price(meter="requests", **fields):
    return {"meter": meter, "tiers": OPEN} | fields


def shown(answer):
    return [
        (line["kind"], line["meter"], line["tier"], line["quantity"], line["amount"])
        for line in answer["lines"]
    ]


def test_a_stored_card_gives_the_worked_example_of_the_docs(alice):
    card = make_rate_card(alice.organization, base_fee="10")
    body = {"rate_card": card.pk, "quantities": {"requests": "334000000", "bytes_out": "120"}}
    found = alice.done("quotes", body)
    assert (found["rate_card"], found["currency"], found["subscriptions"]) == (card.pk, "USD", 1)
    assert found["total"] == "1180.1"
    assert shown(found) == [
        ("fee", "", None, "1", "10"),
        ("usage", "requests", 1, "333000000", "1165.5"),
        ("usage", "requests", 2, "1000000", "2.8"),
        ("usage", "bytes_out", 0, "100", "0"),
        ("usage", "bytes_out", 1, "20", "1.8"),
    ]
    assert found["lines"][1] == {
        "kind": "usage",
        "meter": "requests",
        "description": "Requests, first 333,000,000",
        "tier": 1,
        "quantity": "333000000",
        "unit": "request",
        "unit_price": "0.0000035",
        "flat_fee": "0",
        "packages": None,
        "amount": "1165.5",
    }


def test_a_stored_cards_packages_and_bounds_count(alice):
    card = make_rate_card(alice.organization, base_fee="1", minimum="25", maximum="40")
    tiers = [{"up_to": None, "unit_price": "5"}]
    create_meter(organization=alice.organization, code="images", name="Images", actor=None)
    set_price(rate_card=card, meter="images", model="package", package_size=10, tiers=tiers, actor=None)
    for images, total in (("31", "25"), ("51", "31"), ("1000", "40")):
        found = alice.done("quotes", {"rate_card": card.pk, "quantities": {"images": images}})
        assert found["total"] == total


@pytest.mark.parametrize(
    ("fields", "units", "lines"),
    [
        ({"tiers": [{"up_to": "5", "unit_price": "7"}, {"unit_price": "6"}]}, "6",
         [("5", "35"), ("1", "6")]),
        ({"model": "volume", "tiers": [{"up_to": "5", "unit_price": "7"}, {"unit_price": "6.5"}]}, "6",
         [("6", "39")]),
        ({"model": "package", "package_size": "100", "free_units": "100", "tiers": [{"unit_price": "5"}]},
         "201", [("100", "0"), ("101", "10")]),
        ({"model": "tiered_package", "package_size": "10",
          "tiers": [{"up_to": "15", "unit_price": "100"}, {"unit_price": "50"}]}, "25",
         [("15", "200"), ("10", "50")]),
        ({"model": "tiered_package_total", "package_size": "10",
          "tiers": [{"up_to": "15", "unit_price": "100"}, {"unit_price": "50"}]}, "25", [("25", "150")]),
        ({"model": "per_unit", "tiers": [{"unit_price": "0.333"}]}, "10", [("10", "3.33")]),
        ({"model": "flat", "tiers": [{"unit_price": "0", "flat_fee": "20"}]}, "1000", [("1000", "20")]),
    ],
)  # fmt: skip
def test_every_model_can_be_tried_inline(alice, fields, units, lines):
    found = alice.done("quotes", inline(price(**fields)) | {"quantities": {"requests": units}})
    assert [(line["quantity"], line["amount"]) for line in found["lines"]] == lines
    assert found["rate_card"] is None


def test_fees_bounds_currency_and_custom_meters(alice):
    body = inline(
        price("images", tiers=[{"unit_price": "0.6"}]), base_fee="100", minimum="251", currency="jpy"
    )
    found = alice.done("quotes", body | {"quantities": {"images": "3", "bytes_in": 1}, "subscriptions": 2})
    assert (found["currency"], found["total"]) == ("JPY", "251")
    assert shown(found) == [
        ("fee", "", None, "2", "200"),
        ("usage", "bytes_in", 0, "1", "0"),
        ("usage", "images", 1, "3", "2"),
        ("minimum", "", None, "1", "49"),
    ]
    found = alice.done("quotes", inline(price(), maximum="7") | {"quantities": {"requests": "9"}})
    assert (found["total"], found["lines"][-1]["kind"], found["lines"][-1]["amount"]) == (
        "7",
        "maximum",
        "-2",
    )


def test_nothing_used_costs_nothing_and_nothing_is_stored(alice):
    assert alice.done("quotes", inline(price()))["lines"] == []
    assert alice.get("rate-cards").json()["results"] == []


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"quantities": {}}, "rate_card", "required"),
        ({"rate_card": 7, "quantities": {}}, "rate_card", "id of a rate card"),
        ({"rate_card": [], "quantities": {}}, "rate_card", "id of a rate card"),
        ({"rate_card": "abcdefghij", "quantities": {}}, "rate_card", "There is no rate card abcdefghij"),
        ({"rate_card": {"prices": []}}, "quantities", "required"),
        (inline() | {"quantities": []}, "quantities", "dictionary"),
        (inline(price()) | {"quantities": {"request": "1"}}, "quantities.request", "Did you mean `requests`"),
        (inline(price()) | {"quantities": {"requests": "-1"}}, "quantities.requests", "greater than or equal"),
        (inline(price()) | {"quantities": {"requests": "many"}}, "quantities.requests", "number"),
        (inline(price()) | {"quantities": {"requests": "NaN"}}, "quantities.requests", "number"),
        (inline(price()) | {"quantities": {"requests": "1e30"}}, "quantities.requests", "digits"),
        (inline(price()) | {"quantities": {"requests": "0.0000000000001"}}, "quantities.requests", "12 decimal"),
        (inline(price()) | {"quantities": {"requests": "1e12"}}, "quantities", "beyond what an invoice"),
        (inline() | {"subscriptions": 0}, "subscriptions", "greater than or equal"),
        (inline() | {"months": 2}, "months", "Unknown field"),
        ({"rate_card": {}, "quantities": {}}, "rate_card.prices", "required"),
        (inline(basefee="1"), "rate_card.basefee", "Did you mean `base_fee`"),
        (inline(currency="DOL"), "rate_card.currency", "ISO 4217"),
        (inline(base_fee="-1"), "rate_card.base_fee", "greater than or equal"),
        (inline(base_fee="1000000000000"), "rate_card.base_fee", "less than 1,000,000,000,000"),
        (inline(minimum="2", maximum="1"), "rate_card.minimum", "greater than the maximum"),
        (inline(price(), price()), "rate_card.prices", "once"),
        (inline(price(meter="Requests")), "rate_card.prices.0.meter", "is not a meter"),
        (inline(price(), price("x", model="stairs")), "rate_card.prices.1.model", "not a valid choice"),
        (inline(price(tiers=[])), "rate_card.prices.0.tiers", "at least one tier"),
        (inline(price(tiers=[{"up_to": "5", "unit_price": "1"}])), "rate_card.prices.0.tiers", "last tier"),
        (inline(price(tiers=[{}])), "rate_card.prices.0.tiers.0.unit_price", "required"),
        (inline(price(tiers=OPEN * 2)), "rate_card.prices.0.tiers", "only the last tier"),
        (inline(price(model="package")), "rate_card.prices.0.package_size", "needs package_size"),
        (inline(price(model="package", package_size="0")), "rate_card.prices.0.package_size", "greater than 0"),
        (inline(price(package_size="10")), "rate_card.prices.0.package_size", "no packages"),
        (inline(price(model="flat")), "rate_card.prices.0.tiers", "set unit_price to 0"),
        (inline(price(model="per_unit", tiers=[{"unit_price": "1", "flat_fee": "1"}])),
         "rate_card.prices.0.tiers", "no flat fee"),
        (inline(price(model="per_unit", tiers=[{"up_to": "1", "unit_price": "1"}, *OPEN])),
         "rate_card.prices.0.tiers", "has one tier"),
    ],
)  # fmt: skip
def test_bad_input_is_named_with_the_way_out(alice, body, field, words):
    assert words in fault(alice.post("quotes", body), field)


def test_every_member_may_ask_and_read_only_tokens_too(alice, program, staff, stranger):
    card = make_rate_card(alice.organization)
    body = {"rate_card": card.pk, "quantities": {"requests": "1000000"}}
    bob = make_user("bob")
    make_member(alice.organization, bob, role="billing")
    askers = [program(alice.organization, bob), program(alice.organization, bob, read_only=True), staff]
    assert [asker.done("quotes", body)["total"] for asker in askers] == ["3.5"] * 3
    problem(stranger.post("quotes", body), 401)
    problem(stranger.post("quotes", inline()), 401)
    problem(alice.get("quotes"), 405)


def test_anothers_card_is_not_there_unless_one_sees_a_plan_that_it_prices(alice, charlie):
    card = make_rate_card(alice.organization)
    body = {"rate_card": card.pk, "quantities": {}}
    fault(charlie.post("quotes", body), "rate_card", "does_not_exist")
    hidden = make_priced_plan(card, visibility=PlanVisibility.HIDDEN)
    fault(charlie.post("quotes", body), "rate_card", "does_not_exist")
    subscribed(hidden, charlie.organization)
    assert charlie.done("quotes", body)["total"] == "0"


def test_a_token_knows_no_private_offers_of_other_organizations_of_its_person(program, alice):
    dora = make_user("dora")
    api = make_api(visibility=Visibility.PRIVATE)
    make_member(api.organization, dora)
    plan = make_plan(make_stage(make_version(api)))
    card = make_rate_card(plan.organization)
    price_plan(plan=plan, rate_card=card, actor=None)
    body = {"rate_card": card.pk, "quantities": {}}
    assert program(api.organization, dora).done("quotes", body)["rate_card"] == card.pk
    make_member(alice.organization, dora)
    fault(program(alice.organization, dora).post("quotes", body), "rate_card", "does_not_exist")


def test_the_card_of_an_offered_plan_may_be_quoted_by_all(charlie):
    stage = make_stage()
    plan = make_plan(stage)
    card = make_rate_card(plan.organization)
    price_plan(plan=plan, rate_card=card, actor=None)
    body = {"rate_card": card.pk, "quantities": {"requests": "2000000"}}
    assert charlie.done("quotes", body)["total"] == "7"
