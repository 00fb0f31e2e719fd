"""Permissions by API: what a member was given who is limited to chosen ones."""

import pytest

from accounts.errors import Refused
from accounts.models import Member, Organization, User
from accounts.organizations import change_role
from accounts.permissions import belongs, can_administer, can_manage, can_read, can_see_bills, is_limited
from accounts.signals import tokens_changed
from apis.grants import Given, grants_of, set_grants
from apis.models import Api, Visibility
from apis.queries import visible_apis
from tests.factories import make_api, make_member, make_organization, make_staff, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Organization:
    return make_organization(make_user("alice"))


@pytest.fixture
def lena(shop: Organization) -> Member:
    return make_member(shop, make_user("lena"), "limited")


@pytest.fixture
def orders(shop: Organization) -> Api:
    return make_api(shop, name="Orders", visibility=Visibility.PRIVATE)


def seen(user: User) -> list[str]:
    return [each.name for each in visible_apis(user)]


def test_a_limited_member_has_no_right_over_the_whole(shop, lena):
    for right in (can_read, can_manage, can_administer, can_see_bills):
        assert not right(lena.user, shop), right
    assert belongs(lena.user, shop)
    assert is_limited(lena.user, shop)
    assert not is_limited(make_staff(), shop)


def test_she_has_exactly_what_was_given_last(shop, lena, orders):
    stock = make_api(shop, name="Stock")
    set_grants(member=lena, grants={orders: Given(), stock: Given(manage=True)}, actor=None)
    set_grants(member=lena, grants={orders: Given(manage=True, money=True)}, actor=None)
    found = [(each.api, each.manage, each.money) for each in grants_of(lena.user)]
    assert found == [(orders, True, True)]
    line = shop.audit_events.first()
    assert line.action == "member.apis_changed"
    assert line.changes["apis"] == [
        {"Orders": "see", "Stock": "see, manage"},
        {"Orders": "see, manage, prices"},
    ]


def test_the_catalogue_shows_her_no_other_private_api(shop, lena, orders):
    make_api(shop, name="Payroll", visibility=Visibility.PRIVATE)
    make_api(shop, name="Open")
    assert seen(lena.user) == ["Open"]
    set_grants(member=lena, grants={orders: Given()}, actor=None)
    assert sorted(seen(lena.user)) == ["Open", "Orders"]


def test_a_grant_holds_only_while_she_is_limited(shop, lena, orders):
    set_grants(member=lena, grants={orders: Given()}, actor=None)
    change_role(member=lena, role="billing", actor=None)
    assert not grants_of(lena.user).exists()
    change_role(member=lena, role="limited", actor=None)
    assert grants_of(lena.user).exists()


def test_gateways_hear_of_her_tokens_when_she_becomes_limited(shop):
    bob = make_member(shop, make_user("bob"))
    token, _ = make_token(shop, bob.user)
    heard: list[list[str]] = []

    def hear(token_ids, **_):
        heard.append(token_ids)

    tokens_changed.connect(hear)
    try:
        change_role(member=bob, role="limited", actor=None)
        change_role(member=bob, role="admin", actor=None)
        change_role(member=bob, role="member", actor=None)
    finally:
        tokens_changed.disconnect(hear)
    assert heard == [[token.pk], [token.pk]]


def test_others_apis_and_other_roles_are_refused(shop, lena, orders):
    with pytest.raises(Refused) as refused:
        set_grants(member=lena, grants={make_api(): Given()}, actor=None)
    assert refused.value.field == "grants"
    with pytest.raises(Refused) as refused:
        set_grants(member=make_member(shop), grants={orders: Given()}, actor=None)
    assert refused.value.field == "member"
