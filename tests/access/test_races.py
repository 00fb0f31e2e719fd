"""Two clicks at the same moment: one wins, the other is told why not."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from access.keys import MAX_KEYS, create_key, rotate_key
from access.models import ApiKey, Subscription
from access.subscribe import cancel, subscribe
from accounts.errors import Refused
from accounts.models import Member, Role
from accounts.organizations import remove_member
from tests.factories import (
    make_application,
    make_key,
    make_member,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
)

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*clicks):
    """Run the calls at the same moment; return how many were refused."""
    barrier = Barrier(len(clicks))

    def click(call):
        try:
            barrier.wait(timeout=10)
            call()
        except Refused:
            return 1
        finally:
            connection.close()
        return 0

    with ThreadPoolExecutor(len(clicks)) as pool:
        return sum(pool.map(click, clicks))


def test_two_subscriptions_to_one_stage_at_once_make_one():
    stage, application = make_stage(), make_application()
    plans = [make_plan(stage), make_plan(stage)]
    clicks = [lambda plan=plan: subscribe(application=application, plan=plan, actor=None) for plan in plans]
    assert at_once(*clicks) == 1
    assert Subscription.objects.count() == 1


def test_rotating_twice_at_once_makes_one_successor():
    key, _ = make_key()
    assert at_once(*[lambda: rotate_key(key=key, actor=None)] * 2) == 1
    assert ApiKey.objects.count() == 2


def test_cancelling_twice_at_once_is_done_once():
    held = make_subscription()
    assert at_once(*[lambda: cancel(subscription=held, actor=None)] * 2) == 1
    assert held.provider.audit_events.count() == 1


def test_two_owners_cannot_both_leave_at_once():
    acme = make_organization()
    make_member(acme, role=Role.OWNER)
    clicks = [lambda member=member: remove_member(member=member, actor=None) for member in acme.members.all()]
    assert at_once(*clicks) == 1
    assert Member.objects.count() == 1


def test_the_last_free_place_for_a_key_is_given_once():
    application = make_application()
    for _ in range(MAX_KEYS - 1):
        make_key(application)
    assert at_once(*[lambda: create_key(application=application, name="x", actor=None)] * 2) == 1
    assert application.keys.count() == MAX_KEYS
