"""Rate cards that somebody is billed by change from a time to come on, and what has not begun may be dropped."""

import pytest

from tests.billing.factories import card_with, each_at, make_priced_plan, subscribed
from tests.rest.problems import fault, problem

CENTURY = "2101-01-01T00:00:00Z"


@pytest.fixture
def sold(alice):
    """A card of Alice that a customer is billed by."""
    card = card_with(alice.organization, price=each_at("0.01"))
    subscribed(make_priced_plan(card))
    return f"rate-cards/{card.pk}"


def versions(answer):
    return [
        (
            each["number"],
            each["base_fee"],
            [(p["meter"], p["tiers"][0]["unit_price"]) for p in each["prices"]],
        )
        for each in answer["versions"]
    ]


def test_a_change_goes_into_the_version_of_its_time(alice, sold):
    open_tier = [{"up_to": None, "unit_price": "0.02"}]
    changed = {
        "effective_from": CENTURY,
        "base_fee": "5",
        "prices": [{"meter": "requests", "model": "per_unit", "tiers": open_tier}],
    }
    answer = alice.patch(sold, changed)
    assert answer.status_code == 200, answer.content
    before = (1, "0", [("requests", "0.01")])
    assert versions(answer.json()) == [before, (2, "5", [("requests", "0.02")])]
    assert answer.json()["versions"][1]["effective_from"] == CENTURY
    assert answer.json()["base_fee"] == "0"
    again = alice.patch(sold, {"effective_from": CENTURY, "base_fee": "6"})
    assert versions(again.json()) == [before, (2, "6", [("requests", "0.02")])]


@pytest.mark.parametrize(
    ("at", "code"), [("2020-01-01T00:00:00Z", "in_the_past"), ("2101-01-01T00:00:30Z", "invalid")]
)
def test_a_time_that_cannot_be_is_refused_at_its_field(alice, sold, at, code):
    answer = alice.patch(sold, {"effective_from": at, "base_fee": "5"})
    assert fault(answer, "effective_from", code)
    assert len(alice.get(sold).json()["versions"]) == 1


def test_a_version_that_has_not_begun_is_dropped_and_one_in_force_is_not(alice, sold):
    alice.patch(sold, {"effective_from": CENTURY, "base_fee": "5"})
    assert fault(alice.post(f"{sold}/drop-version", {"number": 7}), "number", "unknown")
    assert "is in force" in problem(alice.post(f"{sold}/drop-version", {"number": 1}), 422)["detail"]
    assert versions(alice.done(f"{sold}/drop-version", {"number": 2})) == [(1, "0", [("requests", "0.01")])]
    assert "one version at least" in problem(alice.post(f"{sold}/drop-version", {"number": 1}), 422)["detail"]


def test_a_meter_that_nothing_counts_is_refused(alice, sold):
    tiers = [{"up_to": None, "unit_price": "1"}]
    answer = alice.patch(sold, {"prices": [{"meter": "tokens", "model": "per_unit", "tiers": tiers}]})
    assert "requests, http_requests" in answer.content.decode()
