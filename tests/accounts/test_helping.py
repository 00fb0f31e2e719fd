"""Looks at the site as somebody else: who may, for how long, and what both audit trails say."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from accounts.errors import Refused
from accounts.helping.models import HelpSession
from accounts.helping.sessions import begin_help, end_help, end_overdue, running
from accounts.models import AuditEvent, Organization, User
from tests.factories import make_member, make_organization, make_staff, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def shop(alice: User) -> Organization:
    return make_organization(alice)


@pytest.fixture
def look(alice: User, shop: Organization) -> HelpSession:
    return begin_help(staff=make_staff("sam"), person=alice, organization=shop, reason="Case 7")


def test_begin_and_end_stand_in_both_trails(look, shop):
    end_help(session=look, actor=look.staff, at=look.began_at + timedelta(minutes=4))
    end_help(session=look, actor=look.staff)
    for organization in (shop, None):
        lines = AuditEvent.objects.filter(organization=organization, action__startswith="help.")
        assert [(line.action, line.actor_label) for line in lines] == [
            ("help.ended", "sam@example.com"),
            ("help.began", "sam@example.com"),
        ]
        assert lines[1].summary.endswith("as alice@example.com does, reading only: Case 7")
        assert "after 4 min" in lines[0].summary


def test_it_lasts_half_an_hour_and_then_ends_itself(look):
    assert look.ends_at - look.began_at == timedelta(minutes=30)
    assert end_overdue() == 0
    assert end_overdue(look.ends_at + timedelta(hours=5)) == 1
    look.refresh_from_db()
    assert look.ended_at == look.ends_at
    assert running(look.pk, look.staff) is None


def test_one_whose_time_is_over_does_not_hold_before_anybody_sweeps(look):
    HelpSession.objects.update(ends_at=now() - timedelta(seconds=1))
    assert running(look.pk, look.staff) is None
    look.refresh_from_db()
    assert look.ended_at is not None


def test_it_holds_for_who_began_it_while_all_is_as_it_was(look, alice, shop):
    assert running(look.pk, look.staff) == look
    assert running(look.pk, make_staff()) is None
    make_member(shop, role="owner")
    shop.members.filter(user=alice).delete()
    assert running(look.pk, look.staff) is None


@pytest.mark.parametrize("become", ["is_staff", "is_superuser"])
def test_who_becomes_staff_is_looked_at_no_longer(look, alice, become):
    setattr(alice, become, True)
    alice.save()
    assert running(look.pk, look.staff) is None


@pytest.mark.parametrize("fields", [{"is_staff": True}, {"is_superuser": True}, {"is_active": False}])
def test_staff_and_who_may_not_sign_in_are_not_looked_at(shop, fields):
    person = make_member(shop, make_user("bob", **fields)).user
    with pytest.raises(Refused) as refused:
        begin_help(staff=make_staff(), person=person, organization=shop, reason="Case 7")
    assert refused.value.field == "person"


def test_a_stranger_to_the_organization_is_refused(shop):
    with pytest.raises(Refused):
        begin_help(staff=make_staff(), person=make_user("charlie"), organization=shop, reason="Case 7")


def test_a_reason_is_needed(shop, alice):
    with pytest.raises(Refused) as refused:
        begin_help(staff=make_staff(), person=alice, organization=shop, reason=" ")
    assert refused.value.field == "reason"


def test_a_second_one_ends_the_first(look, alice, shop):
    second = begin_help(staff=look.staff, person=alice, organization=shop, reason="Case 8")
    look.refresh_from_db()
    assert look.ended_at is not None
    assert running(second.pk, look.staff) == second
