"""Parts of pages that come in a request of their own, because they rate subscriptions."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.tasks import rate_sales
from tests.portal.factories import make_shop, people_of, signed_in

pytestmark = pytest.mark.django_db


def test_the_months_cost_is_for_those_who_see_bills() -> None:
    shop = make_shop()
    people = people_of(shop)
    page = reverse("console")
    for who, status in (("owner", 200), ("billing", 200), ("member", 403)):
        browser = signed_in(people[who])
        assert browser.get(page, {"fragment": "cost"}).status_code == status
        assert ("fragment=cost" in browser.get(page).content.decode()) == (status == 200)
    cost = signed_in(shop.alice).get(page, {"fragment": "cost"}).content.decode()
    assert "Cost this month" in cost
    assert "<html" not in cost


def test_what_customers_owe_is_rated_by_a_worker_at_most_once_a_minute() -> None:
    shop = make_shop()
    browser, page = signed_in(shop.alice), reverse("provider-money")
    assert "Customers this month" not in browser.get(page).content.decode()
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            text = browser.get(page, {"fragment": "sales"}).content.decode()
        assert "Customers this month" in text
        assert "As of" in text
        asked.append(len(queries))
    assert asked[1] < asked[0]  # the tests' worker answers within the request


@pytest.mark.parametrize(("name", "part"), [("provider-money", "sales"), ("provider", "money")])
def test_until_the_worker_answers_the_part_says_so_and_asks_again_soon(
    name: str, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_sales, "delay", lambda _: None)
    shop = make_shop()
    text = signed_in(shop.alice).get(reverse(name), {"fragment": part}).content.decode()
    assert "is being added up" in text
    assert 'data-refresh-again="1"' in text
