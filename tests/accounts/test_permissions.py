"""Who may do what: one table."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils.timezone import now

from accounts.models import Role
from accounts.permissions import (
    can_administer,
    can_give_role,
    can_manage,
    can_read,
    can_see_bills,
    membership,
)
from tests.factories import make_member, make_organization, make_staff, make_user

pytestmark = pytest.mark.django_db
ASKED = (can_read, can_manage, can_administer, can_see_bills)


def rights(user, organization):
    return "".join("x" if may(user, organization) else "." for may in ASKED)


@pytest.mark.parametrize(
    ("role", "expected", "suspended"),
    [
        (Role.OWNER, "xxxx", "x..x"),
        (Role.ADMIN, "xxxx", "x..x"),
        (Role.MEMBER, "xx..", "x..."),
        (Role.BILLING, "x..x", "x..x"),
    ],
)
def test_each_role_has_its_rights(role, expected, suspended):
    acme, bob = make_organization(), make_user("bob")
    make_member(acme, bob, role)
    assert rights(bob, acme) == expected
    acme.suspended_at = now()
    assert rights(bob, acme) == suspended


def test_charlie_and_strangers_have_no_rights():
    acme = make_organization()
    charlie = make_user("charlie")
    make_organization(charlie)
    assert rights(charlie, acme) == "...."
    assert rights(AnonymousUser(), acme) == "...."
    assert membership(charlie, acme) is None
    assert membership(AnonymousUser(), acme) is None


def test_superusers_may_do_everything_and_plain_staff_nothing():
    acme = make_organization(suspended_at=now())
    assert rights(make_staff(), acme) == "xxxx"
    assert rights(make_user("clerk", is_staff=True), acme) == "...."


def test_who_may_not_sign_in_has_no_rights():
    alice = make_user("alice", is_active=False)
    assert rights(alice, make_organization(alice)) == "...."


def test_only_owners_make_owners():
    alice, bob = make_user("alice"), make_user("bob")
    acme = make_organization(alice)
    make_member(acme, bob, Role.ADMIN)
    assert can_give_role(alice, acme, Role.OWNER)
    assert not can_give_role(bob, acme, Role.OWNER)
    assert can_give_role(bob, acme, Role.ADMIN)
