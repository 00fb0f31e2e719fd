"""A webhook's page follows a delivery until it is delivered or failed, also without JavaScript."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from accounts.models import WebhookDelivery
from accounts.webhooks.endpoints import create_endpoint
from accounts.webhooks.models import DeliveryState
from tests.factories import make_organization, make_user
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint():
    organization = make_organization(make_user("alice"), name="Shop")
    return create_endpoint(organization=organization, url="http://127.0.0.1:9/hook", actor=None)[0]


@pytest.fixture
def alice(endpoint):
    return signed_in(endpoint.organization.members.get().user)


def went(delivery, state, *attempts):
    delivery.state, delivery.attempts, delivery.tries = state, list(attempts), len(attempts)
    delivery.next_try_at = now() + timedelta(seconds=5)
    delivery.save()


def attempt(status, problem=""):
    return {"at": now().isoformat(), "status": status, "ms": 12, "problem": problem, "response": ""}


def test_a_test_event_is_followed_until_it_has_ended(alice, endpoint):
    place = alice.post(reverse("webhook-test", args=[endpoint.pk]))["Location"]
    delivery = WebhookDelivery.objects.get()
    assert place == f"{reverse('webhook', args=[endpoint.pk])}?watch={delivery.pk}"
    page = alice.get(place).content.decode()
    assert f'aria-live="polite" data-refresh="{place}&amp;fragment=state" data-every="2"' in page
    assert f'data-refresh="{place}&amp;fragment=deliveries"' in page
    assert f'href="{place}">Refresh' in page
    assert "webhook.test is on its way" in page

    def said(fragment="state"):
        return alice.get(f"{place}&fragment={fragment}").content.decode()

    WebhookDelivery.objects.update(tries=1)  # the attempt is being made
    assert "webhook.test is on its way" in said()
    went(delivery, DeliveryState.PENDING, attempt(None, "Nobody listens there."))
    assert "webhook.test did not arrive yet. Nobody listens there. It is tried again" in said()
    assert "data-refresh-end" not in said() + said("deliveries")
    assert "<h1" not in said()
    went(delivery, DeliveryState.DELIVERED, attempt(503, "The receiver answered 503."), attempt(204))
    assert "webhook.test is delivered: the receiver answered 204 in 12 ms." in said()
    assert all("data-refresh-end" in said(each) for each in ("state", "deliveries"))
    page = alice.get(place).content.decode()
    assert "data-refresh=" not in page
    assert "is delivered" in page
    went(delivery, DeliveryState.FAILED, attempt(503, "The receiver answered 503."))
    assert "failed, and is not tried again. The receiver answered 503." in said()


def test_only_a_delivery_of_the_endpoint_is_followed(alice, endpoint):
    other = create_endpoint(organization=make_organization(), url="http://127.0.0.1:9/other", actor=None)[0]
    alice.post(reverse("webhook-test", args=[endpoint.pk]))
    delivery = WebhookDelivery.objects.get()
    WebhookDelivery.objects.update(endpoint=other)
    place = reverse("webhook", args=[endpoint.pk])
    for wanted in (delivery.pk, "nobody", "\x00"):
        page = alice.get(place, {"watch": wanted})
        assert page.status_code == 200
        assert "data-refresh" not in page.content.decode()
        assert alice.get(place, {"watch": wanted, "fragment": "state"}).status_code == 404
