"""A month replayed with other prices."""

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse
from django.utils.timezone import now

from accounts.errors import Refused
from billing import simulate as module
from billing.models import PriceOverride
from billing.periods import month_of
from billing.rate_cards import add_version, set_price
from billing.simulate import simulate
from tests.billing.factories import (
    NOVEMBER,
    OCTOBER,
    card_with,
    close,
    each_at,
    make_priced_plan,
    october,
    pay_for,
    subscribed,
    use,
)
from tests.factories import make_organization

pytestmark = pytest.mark.django_db
D = Decimal


def rows(found: Any) -> list[tuple[str, Decimal, Decimal]]:
    return [(each.customer_id, each.before, each.after) for each in found.customers]


@pytest.fixture
def card() -> Any:
    return card_with(price=each_at("1"), base_fee="10")


@pytest.fixture
def future(card: Any) -> Any:
    """Next month's version: no free ride for the small, a discount for the large."""
    tiers = [{"up_to": "100", "unit_price": "2"}, {"up_to": None, "unit_price": "0.1"}]
    at = month_of(now(), "UTC").following().start
    version = add_version(rate_card=card, at=at, actor=None)
    set_price(rate_card=card, meter="requests", tiers=tiers, at=at, actor=None)
    return version


def test_who_pays_more_and_by_how_much(card: Any, future: Any) -> None:
    plan = make_priced_plan(card)
    small, large, idle = (subscribed(plan) for _ in range(3))
    use(small, october(3), 50)
    use(large, october(3), 1_000)
    found = simulate(rate_card=card, period=OCTOBER)
    assert found.version == future
    assert rows(found) == [
        (small.organization_id, D(60), D(110)),
        (idle.organization_id, D(10), D(10)),
        (large.organization_id, D(1010), D(300)),
    ]
    assert [each.percent for each in found.customers] == [D("83.3"), D(0), D("-70.3")]
    assert (found.before, found.after, found.more, found.less) == (D(1080), D(420), 1, 1)
    assert sum(invoice.total for invoice in close(card.organization)) == found.before


def test_another_card_takes_the_place_of_this_one_with_the_customers_overrides(card: Any) -> None:
    draft = card_with(card.organization, name="Draft", price=each_at("3"))
    subscription = subscribed(make_priced_plan(card))
    PriceOverride.objects.create(
        organization=card.organization,
        customer=subscription.organization,
        rate_card=card,
        percent="50",
        starts_at=october(1, 0),
    )
    use(subscription, october(3), 10)
    found = simulate(rate_card=card, instead=draft, period=OCTOBER)
    assert rows(found) == [(subscription.organization_id, D(10), D(15))]
    assert draft.plans.count() == 0


def test_children_count_with_who_pays_and_other_cards_do_not(card: Any) -> None:
    plan, parent, child = make_priced_plan(card), make_organization(), make_organization()
    pay_for(child, parent, OCTOBER.start)
    use(subscribed(plan, child), october(3), 7)
    use(
        subscribed(make_priced_plan(card_with(card.organization, name="B", price=each_at("9"))), child),
        october(3),
        5,
    )
    assert rows(simulate(rate_card=card, period=OCTOBER)) == [(parent.pk, D(17), D(17))]


def test_nobody_is_billed_by_a_draft(card: Any) -> None:
    assert simulate(rate_card=card).customers == []


def test_queries_are_a_constant_number_for_a_chunk(
    card: Any, future: Any, monkeypatch: Any, django_assert_max_num_queries: Any
) -> None:
    plan = make_priced_plan(card)
    for number in range(5):
        use(subscribed(plan), october(3), number)
    with django_assert_max_num_queries(26):
        whole = simulate(rate_card=card, period=OCTOBER)
    monkeypatch.setattr(module, "CUSTOMERS_AT_ONCE", 2)
    assert rows(simulate(rate_card=card, period=OCTOBER)) == rows(whole)


def test_what_cannot_be_compared_is_refused(card: Any) -> None:
    euros = card_with(card.organization, name="Euro", currency="EUR", price=each_at("1"))
    with pytest.raises(Refused, match="different currencies"):
        simulate(rate_card=card, instead=euros)
    with pytest.raises(Refused, match="same provider"):
        simulate(rate_card=card, instead=card_with(price=each_at("1")))
    with pytest.raises(Refused, match="no such version"):
        simulate(rate_card=card, version=euros.versions.get())
    later = NOVEMBER
    for _ in range(30):
        later = later.following()
    with pytest.raises(Refused, match="not begun"):
        simulate(rate_card=card, period=later)


def test_the_page_of_a_rate_card_shows_it(card: Any, future: Any, admin_client: Any) -> None:
    subscription = subscribed(make_priced_plan(card))
    use(subscription, october(3), 50)
    card_with(card.organization, name="Draft", price=each_at("1"))
    address = reverse("admin:billing_ratecard_what_if", args=[card.pk])
    assert "Replay the month" in admin_client.get(address).content.decode()
    page = admin_client.get(address, {"month": "2026-10", "prices": "version:2"}).content.decode()
    for words in (str(subscription.organization), "60.00", "110.00", "83.3 %", "1 of 1 customer"):
        assert words in page
    draft = card.organization.rate_cards.get(name="Draft")
    page = admin_client.get(address, {"month": "2026-10", "prices": f"card:{draft.pk}"}).content.decode()
    assert "50.00" in page
