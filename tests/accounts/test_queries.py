"""What other rooms ask of accounts."""

import pytest

from accounts.audit import record
from accounts.queries import audit_trail, members_of, organizations_of
from tests.factories import make_member, make_organization, make_user

pytestmark = pytest.mark.django_db


def test_a_person_sees_her_organizations_by_name():
    alice = make_user("alice")
    zebra = make_organization(alice, name="Zebra")
    acme = make_organization(name="Acme")
    make_member(acme, alice)
    make_organization(name="Not hers")
    assert list(organizations_of(alice)) == [acme, zebra]


def test_members_cost_one_query_however_many(django_assert_num_queries):
    acme = make_organization(make_user("alice"))
    for _ in range(3):
        make_member(acme)
    with django_assert_num_queries(1):
        assert len([member.user.email for member in members_of(acme)]) == 4


def test_the_audit_trail_is_the_organizations_own_newest_first():
    acme, other = make_organization(), make_organization()
    for number in (1, 2):
        record(organization=acme, actor=None, action="a.b", target=acme, summary=f"line {number}")
    record(organization=other, actor=None, action="a.b", target=other, summary="not ours")
    assert [event.summary for event in audit_trail(acme)] == ["line 2", "line 1"]
    assert {event.actor_label for event in audit_trail(acme)} == {"Gatehouse"}
