"""Customers as a whole: shut out by a provider, and let in again."""

import pytest
from django.core import mail

from access.customers import resume_customer, suspend_customer, suspension_of
from access.models import Subscription
from access.subscribe import approve, resume, subscribe
from accounts.errors import Refused
from accounts.models import Organization
from tests.factories import make_application, make_organization, make_plan, make_subscription, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer() -> Organization:
    return make_organization(make_user("alice"), name="Kiosk")


@pytest.fixture
def running(customer: Organization) -> Subscription:
    return make_subscription(make_application(customer), make_plan())


def state(subscription: Subscription) -> str:
    subscription.refresh_from_db()
    return subscription.state


def test_all_its_subscriptions_to_this_provider_stop(running, customer, django_capture_on_commit_callbacks):
    elsewhere = make_subscription(make_application(customer), make_plan())
    with django_capture_on_commit_callbacks(execute=True):
        suspend_customer(provider=running.provider, customer=customer, reason="Abuse", actor=None)
    assert (state(running), state(elsewhere)) == ("suspended", "active")
    assert mail.outbox[0].to == ["alice@example.com"]
    assert "Reason: Abuse" in mail.outbox[0].body
    for organization in (customer, running.provider):
        assert organization.audit_events.filter(
            action="customer.suspended", summary__endswith="Abuse"
        ).exists()


def test_no_new_one_begins_and_none_is_let_in_alone(running, customer):
    plan = make_plan(organization=running.provider, requires_approval=True)
    waiting = subscribe(application=make_application(customer), plan=plan, actor=None)
    suspend_customer(provider=running.provider, customer=customer, reason="Abuse", actor=None)
    for verb in (
        lambda: subscribe(application=make_application(customer), plan=plan, actor=None),
        lambda: approve(subscription=waiting, actor=None),
        lambda: resume(subscription=running, actor=None),
    ):
        with pytest.raises(Refused) as refused:
            verb()
        assert refused.value.code == "suspended"


def test_it_works_again_but_for_what_waits_for_money(running, customer):
    other = make_subscription(make_application(customer), make_plan(organization=running.provider))
    suspend_customer(provider=running.provider, customer=customer, reason="Abuse", actor=None)
    count = resume_customer(provider=running.provider, customer=customer, actor=None, but=[other.pk])
    assert (count, state(running), state(other)) == (1, "active", "suspended")
    assert suspension_of(running.provider, customer) is None
    with pytest.raises(Refused):
        resume_customer(provider=running.provider, customer=customer, actor=None)


def test_twice_or_a_stranger_or_without_a_reason_is_refused(running, customer):
    with pytest.raises(Refused) as refused:
        suspend_customer(provider=running.provider, customer=customer, reason=" ", actor=None)
    assert refused.value.field == "reason"
    with pytest.raises(Refused):
        suspend_customer(provider=running.provider, customer=make_organization(), reason="x", actor=None)
    suspend_customer(provider=running.provider, customer=customer, reason="Abuse", actor=None)
    with pytest.raises(Refused):
        suspend_customer(provider=running.provider, customer=customer, reason="Again", actor=None)
