"""Rate cards on the provider's pages, and what the calculator says."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from billing.models import RateCard
from billing.rate_cards import add_version, change_rate_card, next_minute, price_plan
from tests.billing.factories import make_rate_card
from tests.portal.factories import Shop, make_shop, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def card(shop: Shop) -> RateCard:
    """AWS's REST prices and 10 USD a month, of the shop's plan."""
    made = make_rate_card(shop.organization, name="AWS", base_fee=Decimal(10))
    price_plan(plan=shop.plan, rate_card=made, actor=None)
    return made


def look(shop: Shop, name: str, *places: str, **asked: str) -> str:
    answer = signed_in(shop.alice).get(reverse(name, args=places), asked)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_says_which_plans_are_billed_by_what(shop: Shop, card: RateCard) -> None:
    page = look(shop, "rate-cards")
    assert "AWS" in page
    assert "$10.00" in page
    assert shop.plan.name in page


def test_a_card_shows_its_tiers_in_words(shop: Shop, card: RateCard) -> None:
    page = look(shop, "rate-card", card.pk)
    for words in ("First 333 million", "$3.50 per million", "Graduated", "In force", "$10.00 a month"):
        assert words in page
    assert "Type how much is used" in page


def test_the_calculator_says_what_an_invoice_would(shop: Shop, card: RateCard) -> None:
    asked = {"units-requests": "334000000", "units-bytes_out": "120", "subscriptions": "2"}
    page = look(shop, "rate-card", card.pk, **asked)
    # 333 M at 3.50, 1 M at 2.80 a million; 20 GiB beyond the free 100 at 0.09; twice the base fee
    assert "$1,190.10" in page
    assert 'value="334000000"' in page
    part = look(shop, "rate-card", card.pk, fragment="1", **asked)
    assert "$1,190.10" in part
    assert "<html" not in part


@pytest.mark.parametrize(
    ("units", "words"), [("-1", "greater than or equal to 0"), ("9e17", "beyond what"), ("x", "number")]
)
def test_what_cannot_be_calculated_is_said(shop: Shop, card: RateCard, units: str, words: str) -> None:
    assert words in look(shop, "rate-card", card.pk, **{"units-requests": units})


def test_a_version_to_come_is_calculated_by_its_own_prices(shop: Shop, card: RateCard) -> None:
    at = next_minute() + timedelta(days=3)
    add_version(rate_card=card, at=at, actor=None)
    change_rate_card(rate_card=card, at=at, base_fee=Decimal(25), actor=None)
    page = look(shop, "rate-card", card.pk, version="2", subscriptions="1")
    assert "To come" in page
    assert '<p class="quote__total">$25.00' in page
    assert '<p class="quote__total">$10.00' in look(shop, "rate-card", card.pk, subscriptions="1")


def test_others_cards_are_not_there(shop: Shop) -> None:
    others = make_rate_card(name="Secret")
    assert signed_in(shop.alice).get(reverse("rate-card", args=[others.pk])).status_code == 404
