"""Late payment: warnings on their days, suspension after the grace, and back once the money is in."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail
from django.db import connection

from access.models import SubscriptionState
from access.subscribe import cancel, suspend
from accounts.models import AuditEvent
from billing import dunning
from billing.credit_notes import credit_invoice
from billing.dunning_mail import send_waiting
from billing.invoices import void
from billing.models import DunningHold, DunningNotice, DunningStep
from billing.payments.pay import record_payment
from billing.profiles import set_customer_terms
from tests.billing.factories import pay_for
from tests.billing.ledger.factories import day, make_bill
from tests.factories import make_application, make_organization, make_plan, make_subscription

pytestmark = pytest.mark.django_db
DUE = day(45)


def after(days, hours=1):
    return DUE + timedelta(days=days, hours=hours)


@pytest.fixture(autouse=True)
def schedule(settings):
    settings.DUNNING_WARNING_DAYS, settings.DUNNING_SUSPEND_DAYS = [1, 7, 14], 21


@pytest.fixture
def subscription(provider, customer):
    return make_subscription(make_application(customer), make_plan(organization=provider))


def run(*days):
    for each in days:
        dunning.run(at=after(each))


def state(subscription):
    subscription.refresh_from_db()
    return subscription.state


def notices():
    return list(DunningNotice.objects.order_by("id").values_list("step", "day"))


def test_warnings_go_out_on_their_days_once(bill, subscription):
    run(0)
    assert notices() == []
    run(1, 1, 2, 6, 7, 13, 14, 20)
    assert notices() == [("warning", 1), ("warning", 7), ("warning", 14)]
    assert state(subscription) == SubscriptionState.ACTIVE


def test_missed_days_are_not_made_up(bill):
    run(8)
    assert notices() == [("warning", 7)]


def test_after_the_grace_subscriptions_are_suspended_once(bill, subscription, provider):
    other = make_subscription(make_application(), subscription.plan)
    elsewhere = make_subscription(make_application(bill.customer), make_plan())
    run(21, 21, 22)
    assert state(subscription) == SubscriptionState.SUSPENDED
    assert (state(other), state(elsewhere)) == ("active", "active")
    assert notices() == [("warning", 14), ("suspension", 21)]
    hold = DunningHold.objects.get()
    assert (hold.subscription, hold.invoice, hold.organization) == (subscription, bill, provider)
    assert list(dunning.held(customer=bill.customer)) == [hold]
    actions = AuditEvent.objects.filter(organization=bill.customer).values_list("action", flat=True)
    assert {"dunning.warning", "dunning.suspension", "subscription.suspended"} <= set(actions)


def test_payment_resumes_at_once(bill, subscription):
    run(21)
    record_payment(invoice=bill, amount=Decimal(24), actor=None)
    assert state(subscription) == SubscriptionState.SUSPENDED
    record_payment(invoice=bill, amount=Decimal(1), actor=None)
    assert state(subscription) == SubscriptionState.ACTIVE
    assert notices()[-1] == (DunningStep.RESUMPTION, 0)
    assert not dunning.held(customer=bill.customer).exists()


@pytest.mark.parametrize("way_out", [void, lambda **it: credit_invoice(reason="wrong", **it)])
def test_so_do_voiding_and_a_credit_note(bill, subscription, way_out):
    run(21)
    way_out(invoice=bill, actor=None)
    assert state(subscription) == SubscriptionState.ACTIVE


def test_another_late_invoice_keeps_them_suspended(bill, subscription, provider, customer):
    second = make_bill(provider, customer, "5")
    run(21)
    record_payment(invoice=bill, at=after(22), actor=None)
    assert state(subscription) == SubscriptionState.SUSPENDED
    record_payment(invoice=second, at=after(23), actor=None)
    assert state(subscription) == SubscriptionState.ACTIVE


def test_what_others_suspended_or_cancelled_stays(bill, subscription, customer):
    blocked = make_subscription(make_application(customer), subscription.plan)
    suspend(subscription=blocked, actor=None)
    run(21)
    cancel(subscription=subscription, actor=None)
    record_payment(invoice=bill, actor=None)
    assert (state(blocked), state(subscription)) == ("suspended", "cancelled")


def test_a_new_subscription_does_not_get_around_it(bill, subscription, customer):
    run(21)
    fresh = make_subscription(make_application(customer), subscription.plan)
    run(22)
    assert state(fresh) == SubscriptionState.SUSPENDED
    assert notices().count(("suspension", 21)) == 1


def test_exempt_customers_are_left_alone_and_an_exemption_lifts_what_was_done(
    bill, subscription, provider, customer
):
    run(21)
    set_customer_terms(provider=provider, customer=customer, dunning_exempt=True, actor=None)
    run(22)
    assert state(subscription) == SubscriptionState.ACTIVE
    run(60)
    assert state(subscription) == SubscriptionState.ACTIVE


def test_minus_one_never_suspends(bill, subscription, settings):
    settings.DUNNING_SUSPEND_DAYS = -1
    run(100)
    assert (state(subscription), notices()) == ("active", [("warning", 14)])


def test_invoices_that_owe_nothing_are_never_late(provider, customer, subscription):
    make_bill(provider, customer, "0")
    run(30)
    assert notices() == []


def test_mails_say_what_to_do_and_are_sent_once(bill, subscription):
    run(1, 21)
    assert (send_waiting(), send_waiting()) == (3, 0)
    record_payment(invoice=bill, actor=None)
    assert (send_waiting(), send_waiting()) == (1, 0)
    first, _, suspended, resumed = mail.outbox
    assert first.to == ["bills@example.com"]
    assert bill.label in first.subject
    assert "25.00 USD" in first.body
    assert "21 days after that date" in first.body
    assert f"/console/invoices/{bill.pk}/" in first.body
    assert "suspended" in suspended.subject
    assert "work again" in resumed.subject


def test_who_paid_before_the_mail_went_out_is_not_warned(bill):
    run(1)
    record_payment(invoice=bill, actor=None)
    send_waiting()
    assert mail.outbox == []


def test_without_a_billing_address_owners_are_told(provider):
    from tests.factories import make_user

    customer = make_organization(make_user("alice"))
    make_bill(provider, customer, "5")
    run(1)
    send_waiting()
    assert mail.outbox[0].to == ["alice@example.com"]


def test_a_mail_that_fails_waits_for_the_next_run(bill, settings, monkeypatch):
    from billing import dunning_mail

    def broken(*_args):
        raise OSError("no route")

    run(1)
    with monkeypatch.context() as patched:
        patched.setattr(dunning_mail, "send_mail", broken)
        assert send_waiting() == 0
    assert send_waiting() == 1


def test_a_child_of_the_billing_group_stops_and_comes_back_with_who_pays(bill, provider, customer):
    child, former = make_organization(), make_organization()
    pay_for(child, customer, day(1))
    plan = make_plan(organization=provider)
    hers = make_subscription(make_application(child), plan)
    not_hers = make_subscription(make_application(former), plan)
    elsewhere = make_subscription(make_application(child), make_plan())
    run(21)
    assert [state(each) for each in (hers, not_hers, elsewhere)] == ["suspended", "active", "active"]
    hold = DunningHold.objects.get()
    assert (hold.customer, hold.subscription) == (customer, hers)
    assert list(dunning.held(customer=child)) == []
    record_payment(invoice=bill, amount=bill.total, actor=None)
    assert state(hers) == SubscriptionState.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_warn_and_suspend_once(provider, customer):
    bills = [make_bill(provider, customer, "25.00") for _ in range(3)]
    plan = make_plan(organization=provider)
    held = [make_subscription(make_application(customer), plan) for _ in range(3)]
    start, faults = threading.Barrier(2), []

    def work():
        try:
            start.wait(10)
            for _ in range(3):
                dunning.run(at=after(21))
        except Exception as fault:  # noqa: BLE001 -- told below
            faults.append(fault)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for each in workers:
        each.start()
    for each in workers:
        each.join(30)
    assert faults == []
    assert [state(each) for each in held] == ["suspended"] * 3
    assert sorted(DunningHold.objects.values_list("subscription", flat=True)) == sorted(s.pk for s in held)
    warned = DunningNotice.objects.filter(step=DunningStep.WARNING).values_list("invoice", "day")
    assert sorted(warned) == sorted((each.pk, 14) for each in bills)
    assert DunningNotice.objects.filter(step=DunningStep.SUSPENSION).count() == 1
