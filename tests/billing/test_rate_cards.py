"""Rate cards belong to a provider; what cannot be billed is refused at the field."""

from decimal import Decimal

import pytest

from accounts.errors import Refused
from billing.models import PlanPrice, Price, RateCard
from billing.overrides import give_override
from billing.presets import PRESETS
from billing.rate_cards import (
    change_rate_card,
    copy_rate_card,
    create_rate_card,
    delete_rate_card,
    load_preset,
    price_plan,
    remove_price,
    set_price,
)
from metering.meters import create_meter
from metering.models import CustomMeter
from tests.billing.factories import make_priced_plan, make_rate_card
from tests.factories import audit_actions, make_organization, make_plan, make_user

pytestmark = pytest.mark.django_db
OPEN = [{"up_to": None, "unit_price": "0.01"}]


def test_a_rate_card_has_a_name_a_currency_and_a_base_fee():
    alice, organization = make_user("alice"), make_organization()
    card = create_rate_card(
        organization=organization, name=" Standard ", currency="eur", base_fee="9.90", actor=alice
    )
    card.refresh_from_db()
    assert (card.name, card.currency, card.base_fee) == ("Standard", "EUR", Decimal("9.90"))
    assert audit_actions() == ["rate_card.created"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"currency": "XXX"}, "currency"),
        ({"base_fee": "-1"}, "base_fee"),
        ({"base_fee": "ten"}, "base_fee"),
        ({"base_fee": "1000000000000"}, "base_fee"),
        ({"minimum": "2", "maximum": "1"}, "minimum"),
        ({"trial_days": "1.5"}, "trial_days"),
        ({"proration": "week"}, "proration"),
        ({"tiers_over": "planet"}, "tiers_over"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_rate_card_is_refused_at_its_field(fields, field):
    with pytest.raises(Refused) as refused:
        create_rate_card(organization=make_organization(), **({"name": "Good", "actor": None} | fields))
    assert refused.value.field == field
    assert not RateCard.objects.exists()


def test_a_name_is_used_once_in_an_organization():
    card = make_rate_card(name="One")
    make_rate_card(name="One")  # another organization's
    with pytest.raises(Refused, match="already"):
        create_rate_card(organization=card.organization, name="One", actor=None)
    change_rate_card(rate_card=card, name="One", actor=None)


def test_changes_are_audited_with_old_and_new():
    card = make_rate_card()
    change_rate_card(rate_card=card, base_fee="5", name=card.name, actor=None)
    event = card.organization.audit_events.order_by("id").last()
    assert (event.action, list(event.changes)) == ("rate_card.changed", ["base_fee"])
    with pytest.raises(Refused) as refused:
        change_rate_card(rate_card=card, colour="red", actor=None)
    assert refused.value.field == "colour"


def test_the_currency_stays_while_a_plan_is_billed_by_the_card():
    card = make_rate_card()
    assert change_rate_card(rate_card=card, currency="EUR", actor=None).currency == "EUR"
    make_priced_plan(card)
    with pytest.raises(Refused, match="Copy it") as refused:
        change_rate_card(rate_card=card, currency="USD", actor=None)
    assert refused.value.field == "currency"


def test_a_price_takes_the_place_of_the_one_before():
    card = make_rate_card()
    set_price(rate_card=card, meter="requests", tiers=OPEN, free_units="1000", actor=None)
    price = card.prices.get(meter="requests")
    assert (price.free_units, price.tiers) == (
        1000,
        [{"up_to": None, "unit_price": "0.01", "flat_fee": "0"}],
    )
    remove_price(rate_card=card, meter="requests", actor=None)
    with pytest.raises(Refused, match="no price"):
        remove_price(rate_card=card, meter="requests", actor=None)
    assert list(card.prices.values_list("meter", flat=True)) == ["bytes_out"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"meter": "Mega Bytes"}, "meter"),
        ({"model": "package"}, "package_size"),
        ({"model": "mystery"}, "model"),
        ({"tiers": []}, "tiers"),
        ({"free_units": "-5"}, "free_units"),
    ],
)
def test_a_bad_price_is_refused_at_its_field(fields, field):
    card = create_rate_card(organization=make_organization(), name="Empty", actor=None)
    with pytest.raises(Refused) as refused:
        set_price(**({"rate_card": card, "meter": "requests", "tiers": OPEN, "actor": None} | fields))
    assert refused.value.field == field
    assert not Price.objects.exists()


def test_amazons_prices_are_loaded_with_one_call():
    card = create_rate_card(organization=make_organization(), name="AWS", actor=None)
    load_preset(rate_card=card, preset="aws-rest", actor=None)
    assert list(card.prices.values_list("meter", "free_units")) == [("bytes_out", 100), ("requests", 0)]
    assert [tier["unit_price"] for tier in card.prices.get(meter="requests").tiers] == [
        "0.0000035",
        "0.0000028",
        "0.00000238",
        "0.00000151",
    ]


@pytest.mark.parametrize("name", PRESETS)
def test_a_price_list_replaces_only_the_meters_that_it_names(name):
    named = {price.meter for price in PRESETS[name].prices}
    card = create_rate_card(organization=make_organization(), name="Ours", actor=None)
    create_meter(organization=card.organization, code="images", name="Images", actor=None)
    for meter in ("requests", "bytes_out", "images"):
        set_price(rate_card=card, meter=meter, tiers=OPEN, actor=None)
    before = dict(card.prices.values_list("meter", "tiers"))
    load_preset(rate_card=card, preset=name, actor=None)
    after = dict(card.prices.values_list("meter", "tiers"))
    assert after.keys() == before.keys() | named
    assert {meter for meter in after if after[meter] != before.get(meter)} == named


def test_a_price_list_must_exist_and_have_the_cards_currency():
    card = create_rate_card(organization=make_organization(), name="Yen", currency="JPY", actor=None)
    for preset in ("aws-rest", "azure"):
        with pytest.raises(Refused) as refused:
            load_preset(rate_card=card, preset=preset, actor=None)
        assert refused.value.field == "preset"


def test_a_copy_has_the_same_prices_and_a_life_of_its_own():
    card = make_rate_card(base_fee="3")
    copy = copy_rate_card(rate_card=card, name="Copy", actor=None)
    set_price(rate_card=copy, meter="requests", tiers=OPEN, actor=None)
    assert (copy.base_fee, copy.prices.count(), card.prices.count()) == (3, 2, 2)
    assert len(card.prices.get(meter="requests").tiers) == 4


def test_a_plan_is_priced_repriced_and_made_free():
    card = make_rate_card(name="One")
    plan = make_plan(organization=card.organization)
    price_plan(plan=plan, rate_card=card, actor=None)
    price_plan(plan=plan, rate_card=copy_rate_card(rate_card=card, name="Two", actor=None), actor=None)
    assert PlanPrice.objects.get().rate_card.name == "Two"
    assert price_plan(plan=plan, rate_card=None, actor=None) is None
    assert not PlanPrice.objects.exists()
    assert audit_actions().count("plan.priced") == 3
    price_plan(plan=plan, rate_card=None, actor=None)
    assert audit_actions().count("plan.priced") == 3


def test_a_plan_cannot_be_billed_by_another_organizations_card():
    with pytest.raises(Refused, match="another organization") as refused:
        price_plan(plan=make_plan(), rate_card=make_rate_card(), actor=None)
    assert refused.value.field == "rate_card"


def test_a_card_that_bills_a_plan_cannot_be_deleted():
    card = make_rate_card()
    plan = make_priced_plan(card, name="Pro")
    with pytest.raises(Refused, match="Pro") as refused:
        delete_rate_card(rate_card=card, actor=None)
    assert refused.value.code == "in_use"
    price_plan(plan=plan, rate_card=None, actor=None)
    delete_rate_card(rate_card=card, actor=None)
    assert not RateCard.objects.exists()


def test_a_price_is_of_a_meter_that_something_counts():
    card = create_rate_card(organization=make_organization(), name="Card", actor=None)
    create_meter(organization=make_organization(), code="tokens", name="Somebody else's", actor=None)
    create_meter(organization=card.organization, code="pages", name="Pages", actor=None)
    price = [{"up_to": None, "unit_price": "1"}]
    with pytest.raises(
        Refused, match=r"one of requests, .*, cache_hours, pages; or make a meter tokens"
    ) as refused:
        set_price(rate_card=card, meter="tokens", tiers=price, actor=None)
    assert (refused.value.field, refused.value.code) == ("meter", "unknown_meter")
    with pytest.raises(Refused):
        give_override(rate_card=card, customer=make_organization(), meter="tokens", percent=5, actor=None)
    assert set_price(rate_card=card, meter="pages", tiers=price, actor=None).meter == "pages"


def test_a_list_with_meters_of_the_providers_own_makes_them():
    card = create_rate_card(organization=make_organization(), name="Card", actor=None)
    own = create_meter(organization=card.organization, code="ws_minutes", name="Minutes online", actor=None)
    load_preset(rate_card=card, preset="aws-websocket", actor=None)
    found = CustomMeter.objects.filter(organization=card.organization).order_by("code")
    assert [(each.code, each.name) for each in found] == [
        ("ws_messages", "WebSocket messages (started 32 KiB)"),
        ("ws_minutes", own.name),
    ]
