"""Handing an organization over: nobody becomes its owner without her word."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils.timezone import now

from accounts.errors import Refused
from accounts.models import OwnershipOffer, Role
from accounts.organizations import change_role, remove_member
from accounts.teams.ownership import accept_ownership, end_offer, offer_of, offer_ownership
from tests.factories import audit_actions, make_member, make_organization, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return make_organization(make_user("alice"), name="Acme")


@pytest.fixture
def alice(acme):
    return acme.members.get()


@pytest.fixture
def bob(acme):
    return make_member(acme, make_user("bob"))


def roles(acme):
    return {member.user.email.split("@")[0]: member.role for member in acme.members.all()}


def test_it_changes_hands_when_the_new_owner_accepts(acme, alice, bob, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        offer = offer_ownership(organization=acme, member=bob, owner=alice)
    assert roles(acme) == {"alice": "owner", "bob": "member"}
    assert mail.outbox[-1].to == ["bob@example.com"]
    with django_capture_on_commit_callbacks(execute=True):
        accept_ownership(offer=offer, user=bob.user)
    assert roles(acme) == {"alice": "admin", "bob": "owner"}
    assert mail.outbox[-1].to == ["alice@example.com"]
    assert audit_actions() == [
        "ownership.offered",
        "member.changed",
        "member.changed",
        "ownership.handed_over",
    ]
    with pytest.raises(Refused, match="withdrawn or answered"):
        accept_ownership(offer=offer, user=bob.user)


def test_only_whom_it_is_offered_to_can_accept(acme, alice, bob):
    offer = offer_ownership(organization=acme, member=bob, owner=alice)
    with pytest.raises(Refused, match="somebody else"):
        accept_ownership(offer=offer, user=make_member(acme, make_user("carol"), Role.ADMIN).user)
    assert roles(acme)["alice"] == "owner"


def test_it_can_be_declined_withdrawn_and_offered_again(acme, alice, bob):
    end_offer(offer=offer_ownership(organization=acme, member=bob, owner=alice), actor=bob.user)
    offer_ownership(organization=acme, member=bob, owner=alice)
    with pytest.raises(Refused, match=r"offered to bob@example.com already"):
        offer_ownership(organization=acme, member=bob, owner=alice)
    end_offer(offer=offer_of(acme), actor=alice.user)
    assert audit_actions() == [
        "ownership.offered",
        "ownership.declined",
        "ownership.offered",
        "ownership.withdrew",
    ]
    assert roles(acme) == {"alice": "owner", "bob": "member"}


def test_an_offer_ends_with_time_and_with_the_right_of_who_made_it(acme, alice, bob):
    offer = offer_ownership(organization=acme, member=bob, owner=alice)
    OwnershipOffer.objects.update(expires_at=now() - timedelta(seconds=1))
    assert offer_of(acme) is None
    with pytest.raises(Refused, match="has ended"):
        accept_ownership(offer=offer, user=bob.user)
    offer = offer_ownership(organization=acme, member=bob, owner=alice)
    make_member(acme, make_user("carol"), Role.OWNER)
    change_role(member=alice, role=Role.ADMIN, actor=None)
    with pytest.raises(Refused, match="has ended"):
        accept_ownership(offer=offer, user=bob.user)
    remove_member(member=bob, actor=None)
    assert not OwnershipOffer.objects.exists()


@pytest.mark.parametrize("who", ["owner", "foreign", "closed"])
def test_to_whom_it_cannot_be_offered(acme, alice, who):
    member = {
        "owner": lambda: make_member(acme, make_user("bob"), Role.OWNER),
        "foreign": make_organization().members.get,
        "closed": lambda: make_member(acme, make_user("bob", is_active=False)),
    }[who]()
    with pytest.raises(Refused) as refused:
        offer_ownership(organization=acme, member=member, owner=alice)
    assert refused.value.field == "member"


def test_who_is_no_owner_cannot_offer(acme, bob):
    with pytest.raises(Refused, match="Only an owner"):
        offer_ownership(organization=acme, member=acme.members.get(role="owner"), owner=bob)
