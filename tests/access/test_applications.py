"""Developers' applications."""

import pytest

from access.applications import (
    change_application,
    create_application,
    resume_application,
    suspend_application,
)
from access.models import SubscriptionState
from accounts.errors import Refused
from tests.factories import audit_actions, make_application, make_organization, make_subscription

pytestmark = pytest.mark.django_db


def test_an_application_is_made_and_renamed():
    acme = make_organization()
    made = create_application(organization=acme, name=" Shop ", actor=None, description="Sells.")
    assert (made.name, made.description, made.state) == ("Shop", "Sells.", "active")
    assert change_application(application=made, actor=None, name="Store").name == "Store"
    assert audit_actions() == ["application.created", "application.changed"]


def test_its_name_is_its_own_within_the_organization():
    shop = make_application(name="Shop")
    with pytest.raises(Refused) as refused:
        create_application(organization=shop.organization, name="Shop", actor=None)
    assert (refused.value.field, refused.value.code) == ("name", "taken")
    other = make_application(shop.organization)
    with pytest.raises(Refused, match="already"):
        change_application(application=other, actor=None, name="Shop")
    assert create_application(organization=make_organization(), name="Shop", actor=None).pk


def test_an_empty_name_is_refused():
    with pytest.raises(Refused) as refused:
        create_application(organization=make_organization(), name=" ", actor=None)
    assert refused.value.field == "name"


def test_suspending_announces_its_living_subscriptions_once(heard):
    application = make_application()
    living = make_subscription(application)
    make_subscription(application, state=SubscriptionState.CANCELLED)
    assert suspend_application(application=application, actor=None).state == "suspended"
    assert resume_application(application=application, actor=None).state == "active"
    assert heard == [("subscriptions", [living.pk])] * 2  # it has no keys
    assert audit_actions() == ["application.suspended", "application.resumed"]


def test_suspending_twice_is_refused(heard):
    application = make_application(state="suspended")
    with pytest.raises(Refused, match="suspended already"):
        suspend_application(application=application, actor=None)
    with pytest.raises(Refused, match="active already"):
        resume_application(application=make_application(), actor=None)
    assert heard == []
