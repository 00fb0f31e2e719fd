"""What a member meets on the pages who is limited to chosen APIs, and how they are chosen."""

from decimal import Decimal

import pytest
from django.urls import reverse

from accounts.models import Member
from apis.grants import Given, set_grants
from apis.models import ApiGrant
from billing.rate_cards import create_rate_card, price_plan
from tests.factories import make_api, make_member, make_user
from tests.portal.factories import Shop, make_open_plan, make_shop, signed_in
from tests.portal.test_permissions import ELSEWHERE, PAGES, POST_ONLY, address, state_of

pytestmark = pytest.mark.django_db
# her own, or nobody's in particular
# a POST that reads her own API, calls as anybody may, or ends nothing
READS = {"dashboard", "rate-card", "provider", "try-it", "help-end", "preview-leave"}
FREE = {"granted", "organization-new", "member-remove", "favicon", "metrics", "security", "sessions-end"}
FREE |= {"preview"}  # by a signed link, as everybody
PUBLIC = {name for name, words in PAGES.items() if words.split()[0] == "200"}


@pytest.fixture
def shop() -> Shop:
    return make_shop()


@pytest.fixture
def lena(shop: Shop) -> Member:
    return make_member(shop.organization, make_user("lena"), "limited")


def give(shop: Shop, lena: Member, **given: bool) -> None:
    set_grants(member=lena, grants={shop.api: Given(**given)}, actor=None)


def test_without_an_api_no_page_of_the_organization_opens(shop: Shop, lena: Member) -> None:
    browser = signed_in(lena.user)
    for name in PAGES.keys() - PUBLIC - FREE:
        answer = browser.get(address(shop, name))
        if PAGES[name] == POST_ONLY:
            assert answer.status_code == 405, name
        elif answer.status_code == 302:
            assert answer["Location"] == reverse("granted"), name
        else:
            assert answer.status_code in {403, 404}, name


def test_she_can_press_nothing(shop: Shop, lena: Member) -> None:
    give(shop, lena, manage=True, money=True)
    browser = signed_in(lena.user)
    places = {name: address(shop, name) for name in PAGES.keys() - PUBLIC - FREE - ELSEWHERE - READS}
    before = state_of(shop)
    for name, place in places.items():
        assert browser.post(place, {"name": "Mine", "role": "owner"}).status_code in {403, 404, 405}, name
    assert state_of(shop) == before


def test_she_sees_the_traffic_of_her_api_only(shop: Shop, lena: Member) -> None:
    stock = make_open_plan(make_api(shop.organization, name="Stock")).stages.get()
    browser = signed_in(lena.user)
    own, stage = shop.api, shop.plan.stages.get()
    for kind, pk in (("api", own.pk), ("stage", stage.pk)):
        assert browser.get(reverse("dashboard", args=[kind, pk])).status_code == 404
    give(shop, lena)
    for kind, pk in (("api", own.pk), ("stage", stage.pk), ("operation", stage.version.operations.get().pk)):
        assert browser.get(reverse("dashboard", args=[kind, pk])).status_code == 200
    for kind, pk in (
        ("api", stock.version.api_id),
        ("stage", stock.pk),
        ("developer", shop.organization.pk),
        ("key", shop.key.pk),
    ):
        assert browser.get(reverse("dashboard", args=[kind, pk])).status_code == 404
    page = browser.get(reverse("provider"), follow=True).content.decode()
    assert "Orders" in page
    assert "Stock" not in page
    assert (
        reverse("approvals") not in browser.get(reverse("dashboard", args=["api", own.pk])).content.decode()
    )


def test_prices_are_seen_where_that_was_given(shop: Shop, lena: Member) -> None:
    card = create_rate_card(organization=shop.organization, name="Gold", base_fee=Decimal(9), actor=None)
    price_plan(plan=shop.plan, rate_card=card, actor=None)
    hidden = create_rate_card(organization=shop.organization, name="Secret", actor=None)
    browser, page = signed_in(lena.user), reverse("rate-card", args=[card.pk])
    give(shop, lena)
    assert browser.get(page).status_code == 404
    give(shop, lena, money=True)
    assert "$9.00" in browser.get(page).content.decode()
    assert "Gold" in browser.get(reverse("granted")).content.decode()
    assert browser.get(reverse("rate-card", args=[hidden.pk])).status_code == 404
    assert browser.get(reverse("rate-cards")).status_code == 404


def test_an_owner_makes_her_limited_and_chooses_the_apis(shop: Shop) -> None:
    bob = make_member(shop.organization, make_user("bob"))
    owner, page = signed_in(shop.alice), reverse("member-apis", args=[bob.pk])
    assert "Without effect" in owner.get(page).content.decode()
    owner.post(reverse("member-role", args=[bob.pk]), {"role": "limited"})
    assert page in owner.get(reverse("organization")).content.decode()
    chosen = {f"level-{shop.api.pk}": "manage", f"money-{shop.api.pk}": "on"}
    owner.post(page, chosen)
    grant = ApiGrant.objects.get()
    assert (grant.api, grant.manage, grant.money) == (shop.api, True, True)
    assert "selected" in owner.get(page).content.decode()
    assert "manage it" in signed_in(bob.user).get(reverse("granted")).content.decode()


def test_she_may_leave(shop: Shop, lena: Member) -> None:
    signed_in(lena.user).post(reverse("member-remove", args=[lena.pk]))
    assert not Member.objects.filter(pk=lena.pk).exists()
