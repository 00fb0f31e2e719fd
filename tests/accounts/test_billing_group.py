"""Billing groups: asked, accepted, left; one level, no cycles."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from accounts.billing_group import accept_child, ask_to_join, join_billing, leave_billing, refuse_child
from accounts.errors import Refused
from accounts.models import BillingMembership, Organization
from accounts.permissions import can_join_billing
from tests.factories import audit_actions, make_member, make_organization, make_user, owner_of

pytestmark = pytest.mark.django_db


def family() -> tuple[Organization, Organization]:
    return make_organization(name="Child"), make_organization(name="Parent")


def refusal(call: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        call()
    return refused.value


def test_a_child_asks_and_the_parent_accepts() -> None:
    child, parent = family()
    asked = ask_to_join(child=child, parent=parent, actor=owner_of(child))
    assert (asked.asked_billing_parent, asked.billing_parent) == (parent, None)
    taken = accept_child(child=child, parent=parent, actor=owner_of(parent))
    assert (taken.asked_billing_parent, taken.billing_parent) == (None, parent)
    for organization in (child, parent):
        actions = [event.action for event in organization.audit_events.order_by("id")]
        assert actions == ["billing_group.asked", "billing_group.joined"]


def test_nobody_is_taken_in_who_did_not_ask() -> None:
    child, parent = family()
    assert refusal(lambda: accept_child(child=child, parent=parent, actor=None)).field == "child"
    assert refusal(lambda: refuse_child(child=child, parent=parent, actor=None)).field == "child"
    assert audit_actions() == []


def test_there_is_one_level() -> None:
    child, parent = family()
    other = make_organization()
    join_billing(child=child, parent=parent, actor=None)
    for below, above in ((other, child), (parent, other), (child, other), (other, other), (parent, child)):
        assert refusal(lambda b=below, a=above: join_billing(child=b, parent=a, actor=None)).field == "parent"
        assert refusal(lambda b=below, a=above: ask_to_join(child=b, parent=a, actor=None)).field == "parent"


def test_a_child_leaves_or_is_put_out_or_takes_its_question_back() -> None:
    child, parent = family()
    join_billing(child=child, parent=parent, actor=None)
    child.refresh_from_db()
    assert leave_billing(child=child, actor=None).billing_parent is None
    ask_to_join(child=child, parent=parent, actor=None)
    child.refresh_from_db()
    assert leave_billing(child=child, actor=None).asked_billing_parent is None
    ask_to_join(child=child, parent=parent, actor=None)
    assert refuse_child(child=child, parent=parent, actor=None).asked_billing_parent is None
    child.refresh_from_db()
    assert refusal(lambda: leave_billing(child=child, actor=None)).code == "wrong_state"
    assert audit_actions()[::2] == [
        f"billing_group.{each}" for each in ("joined", "left", "asked", "not_joined", "asked", "not_joined")
    ]


def test_only_owners_decide() -> None:
    organization = make_organization()
    admin = make_member(organization, make_user("bob"), "admin").user
    assert can_join_billing(owner_of(organization), organization)
    assert not can_join_billing(admin, organization)
    assert not can_join_billing(make_user("charlie"), organization)


@pytest.mark.django_db(transaction=True)
def test_two_that_join_at_once_make_no_chain() -> None:
    first, second, third = (make_organization() for _ in range(3))
    barrier = Barrier(2)

    def click(child: Organization, parent: Organization) -> int:
        try:
            barrier.wait(10)
            join_billing(child=child, parent=parent, actor=None)
        except Refused:
            return 1
        finally:
            connection.close()
        return 0

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(click, (first, second), (second, third))) == 1
    assert BillingMembership.objects.count() == 1
