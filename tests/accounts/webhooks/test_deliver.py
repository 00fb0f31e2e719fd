"""From an event to a verified message: signatures, repeats, giving up, switching off."""

import socket
import threading
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.core import mail
from django.db import connection, transaction
from django.utils.timezone import now
from standardwebhooks import WebhookVerificationError

from accounts.tasks import deliver_due_webhooks
from accounts.webhooks import send
from accounts.webhooks.deliver import WAITS, deliver, due, forget_old
from accounts.webhooks.emit import emit
from accounts.webhooks.endpoints import (
    change_endpoint,
    create_endpoint,
    resend,
    rotate_secret,
    send_test,
)
from accounts.webhooks.models import WebhookDelivery, WebhookEvent
from tests.factories import audit_actions, make_organization

pytestmark = pytest.mark.django_db
DATA = {"budget": "b1", "percent": 80}


def reached(organization):
    emit(organization, "budget.threshold_reached", DATA)


def only():
    return WebhookDelivery.objects.get()


def test_an_event_arrives_after_commit_and_its_signature_holds(
    acme, hook, receiver, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        reached(acme)
        assert receiver.got == []
    payload = receiver.verify(hook[1])
    assert (payload["type"], payload["data"]) == ("budget.threshold_reached", DATA)
    headers, _ = receiver.got[0]
    assert headers["webhook-id"] == WebhookEvent.objects.get().pk
    delivery = only()
    assert (delivery.state, delivery.tries, delivery.attempts[0]["status"]) == ("delivered", 1, 204)


def test_what_is_rolled_back_is_not_sent(acme, hook, receiver):
    with transaction.atomic():
        reached(acme)
        transaction.set_rollback(True)
    assert not WebhookEvent.objects.exists()
    deliver_due_webhooks()
    assert receiver.got == []


def test_a_wrong_secret_does_not_verify(acme, hook, receiver):
    _, another = create_endpoint(organization=make_organization(), url=receiver.url, actor=None)
    reached(acme)
    deliver(delivery_id=only().pk)
    with pytest.raises(WebhookVerificationError):
        receiver.verify(another)


def test_another_organization_hears_nothing(acme, hook, receiver):
    reached(make_organization())
    assert not WebhookDelivery.objects.exists()
    assert not WebhookEvent.objects.exists()


def test_an_endpoint_gets_only_what_it_chose(acme, receiver):
    create_endpoint(organization=acme, url=receiver.url, event_types=["spend_cap.reached"], actor=None)
    reached(acme)
    assert not WebhookDelivery.objects.exists()


def test_an_event_outside_the_catalogue_is_a_mistake(acme):
    with pytest.raises(ValueError, match="catalogue"):
        emit(acme, "something.else", {})


def test_a_failure_is_tried_again_later_and_later_until_it_is_given_up(acme, hook, receiver):
    receiver.status = 500
    reached(acme)
    delivery, moments = only(), []
    while delivery.state == "pending":
        moments.append(delivery.next_try_at)
        assert due(at=delivery.next_try_at - timedelta(seconds=1)) == []
        assert due(at=delivery.next_try_at) == [delivery.pk]
        deliver(delivery_id=delivery.pk, at=delivery.next_try_at)
        delivery = only()
    assert (delivery.state, delivery.tries, len(receiver.got)) == ("failed", 10, 10)
    for wait, (before, after) in zip(WAITS, pairwise(moments), strict=True):
        assert wait <= (after - before).total_seconds() <= wait * 1.1
    # the same message each time, so a receiver can tell repeats
    assert len({(headers["webhook-id"], body) for headers, body in receiver.got}) == 1
    assert delivery.attempts[0]["response"] == "what the receiver says"
    receiver.verify(hook[1])


def test_a_repeat_that_succeeds_ends_it(acme, hook, receiver):
    receiver.status = 503
    reached(acme)
    deliver(delivery_id=only().pk)
    hook[0].refresh_from_db()
    assert hook[0].state == "failing"
    receiver.status = 200
    deliver(delivery_id=only().pk, at=now() + timedelta(seconds=6))
    hook[0].refresh_from_db()
    assert (only().state, len(only().attempts), hook[0].state) == ("delivered", 2, "active")


def test_a_redirect_is_a_failure_and_is_not_followed(acme, hook, receiver):
    receiver.status, receiver.headers = 302, {"Location": receiver.url}
    reached(acme)
    deliver(delivery_id=only().pk)
    assert len(receiver.got) == 1
    assert only().attempts[0]["problem"] == "The receiver answered with status 302."


def test_nobody_listening_is_told_without_a_trace_of_the_inside(acme):
    create_endpoint(organization=acme, url="http://127.0.0.1:9/", actor=None)
    reached(acme)
    deliver(delivery_id=only().pk)
    assert only().attempts[0]["problem"] == "The receiver could not be reached (ConnectionRefusedError)."


def test_a_receiver_that_drips_does_not_hold_a_worker(acme, monkeypatch):
    monkeypatch.setattr(send, "DEADLINE", 0.3)
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            client, _ = server.accept()
            with client:
                while not stop.wait(0.05):
                    try:
                        client.sendall(b"H")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        create_endpoint(organization=acme, url=f"http://127.0.0.1:{server.getsockname()[1]}/", actor=None)
        reached(acme)
        deliver(delivery_id=only().pk)
        stop.set()
        thread.join()
    attempt = only().attempts[0]
    assert attempt["problem"] == "The receiver was too slow."
    assert attempt["ms"] < 2_000


def test_while_a_secret_rotates_both_verify_and_then_only_the_new_one(acme, hook, receiver):
    endpoint, old = hook
    _, new = rotate_secret(endpoint=endpoint, actor=None, overlap=timedelta(hours=1))
    reached(acme)
    deliver(delivery_id=only().pk)
    assert receiver.verify(old) == receiver.verify(new)
    endpoint.refresh_from_db()
    assert len(send.secrets_of(endpoint, now() + timedelta(hours=2))) == 1
    rotate_secret(endpoint=endpoint, actor=None, overlap=timedelta(0))
    endpoint.refresh_from_db()
    assert endpoint.sealed_old_secret == ""
    assert new not in str(audit_actions())


def test_an_endpoint_that_fails_for_days_is_switched_off_and_told_by_mail(
    acme, hook, receiver, django_capture_on_commit_callbacks, settings
):
    settings.WEBHOOK_DISABLE_AFTER_DAYS = 2
    receiver.status = 500
    with django_capture_on_commit_callbacks(execute=True):
        reached(acme)
    assert mail.outbox == []
    for _ in range(2):
        reached(acme)
    late = now() + timedelta(days=2, seconds=1)
    with django_capture_on_commit_callbacks(execute=True):
        deliver(delivery_id=due(at=late)[0], at=late)
    endpoint = hook[0]
    endpoint.refresh_from_db()
    assert (endpoint.state, due(at=late + timedelta(days=1))) == ("disabled", [])
    assert [(each.to, each.subject) for each in mail.outbox] == [
        (["alice@example.com"], f"[Gatehouse] The webhook {endpoint.url} is switched off")
    ]
    assert audit_actions()[-1] == "webhook.disabled"
    # what waited goes on when it is switched on again
    receiver.status = 200
    change_endpoint(endpoint=endpoint, enabled=True, actor=None)
    for delivery_id in WebhookDelivery.objects.values_list("pk", flat=True):
        deliver(delivery_id=delivery_id)
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_a_receiver_that_is_gone_is_switched_off_at_once(acme, hook, receiver):
    receiver.status = 410
    reached(acme)
    deliver(delivery_id=only().pk)
    hook[0].refresh_from_db()
    assert (hook[0].enabled, hook[0].disabled_reason) == (False, "The receiver answered 410 Gone.")


def test_of_an_endpoint_that_fails_one_delivery_at_a_time_is_tried(acme, hook, receiver):
    for _ in range(12):
        reached(acme)
    assert len(due()) == 10
    receiver.status = 500
    deliver(delivery_id=due()[0])
    assert len(due()) == 1


def test_a_delivery_can_be_sent_again_by_hand(acme, hook, receiver):
    delivery = send_test(endpoint=hook[0], actor=None)
    deliver(delivery_id=delivery.pk)
    assert deliver(delivery_id=delivery.pk) is None  # done is done
    delivery.refresh_from_db()
    resend(delivery=delivery, actor=None)
    deliver(delivery_id=delivery.pk)
    assert [headers["webhook-id"] for headers, _ in receiver.got] == [delivery.event_id] * 2
    assert receiver.verify(hook[1])["type"] == "webhook.test"


def test_old_events_are_forgotten(acme, hook):
    reached(acme)
    assert forget_old(at=now() + timedelta(days=29)) == 0
    assert forget_old(at=now() + timedelta(days=31)) == 1
    assert not WebhookDelivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_it_once(acme, hook, receiver):
    emit(acme, "webhook.test", {})  # sent at commit, by this very thread: set it back
    receiver.got.clear()
    WebhookDelivery.objects.update(state="pending", tries=0, next_try_at=now())
    delivery_id, start = only().pk, threading.Barrier(4)

    def work():
        start.wait()
        try:
            deliver(delivery_id=delivery_id)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(receiver.got) == 1


def test_the_moment_of_an_attempt_is_told_in_utc(acme, hook, receiver):
    reached(acme)
    deliver(delivery_id=only().pk)
    assert datetime.fromisoformat(only().attempts[0]["at"]).utcoffset() == timedelta(0)
