"""Shutting customers out, mails to developers, and which APIs limited members see: by REST as on the pages."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils.timezone import now

from access.models import Subscription
from accounts.models import Organization, Role
from billing.models import DunningHold
from tests.factories import (
    make_api,
    make_application,
    make_member,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
    make_user,
    make_version,
)
from tests.rest.conftest import Program
from tests.rest.factories import make_invoice
from tests.rest.problems import fault

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop() -> Organization:
    return make_organization(make_user("alice"), name="Shop")


@pytest.fixture
def owner(shop: Organization, program: Callable[..., Program]) -> Program:
    return program(shop, shop.members.get().user)


@pytest.fixture
def sold(shop: Organization) -> Subscription:
    """What Kiosk bought."""
    kiosk = make_organization(make_user("charlie"), name="Kiosk")
    plan = make_plan(make_stage(make_version(make_api(shop))))
    return make_subscription(make_application(kiosk), plan)


def state_of(subscription: Subscription) -> str:
    return Subscription.objects.get(pk=subscription.pk).state


def test_a_customer_is_shut_out_and_let_in_again(
    owner: Program, sold: Subscription, shop: Organization
) -> None:
    late = make_subscription(make_application(sold.organization), sold.plan)
    body = {"customer": sold.organization_id, "reason": "Harm"}
    fault(owner.post("customer-suspensions", body | {"reason": " "}), "reason")
    made = owner.made("customer-suspensions", body)
    assert (state_of(sold), made["customer_name"], made["lifted_at"]) == ("suspended", "Kiosk", None)
    assert owner.post("customer-suspensions", body).status_code == 422
    DunningHold.objects.create(
        organization=shop, customer=sold.organization, subscription=late,
        invoice=make_invoice(shop, sold.organization), suspended_at=now() - timedelta(days=1),
    )  # fmt: skip
    lifted = owner.post(f"customer-suspensions/{made['id']}/lift", {}).json()
    assert lifted["lifted_at"]
    assert (state_of(sold), state_of(late)) == ("active", "suspended")
    assert owner.get("customer-suspensions", lifted="true").json()["count"] == 1
    assert owner.post(f"customer-suspensions/{made['id']}/lift", {}).status_code == 422


def test_who_only_bills_shuts_nobody_out(
    sold: Subscription, shop: Organization, program: Callable[..., Program]
) -> None:
    clerk = program(shop, make_member(shop, make_user("bob"), Role.BILLING).user)
    body = {"customer": sold.organization_id, "reason": "Harm"}
    assert clerk.post("customer-suspensions", body).status_code == 403
    member = program(shop, make_member(shop, make_user("dora"), Role.MEMBER).user)
    assert member.post("announcements", {"subject": "x", "text": "y"}).status_code == 403
    assert state_of(sold) == "active"


def test_an_announcement_is_a_draft_until_it_is_sent(
    owner: Program, sold: Subscription, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    body = {"subject": "v1 ends", "text": "Move.", "audience": "plan", "plan": sold.plan_id}
    fault(owner.post("announcements", body | {"plan": None}), "plan")
    made = owner.made("announcements", body)
    place = f"announcements/{made['id']}"
    assert owner.patch(place, {"subject": "v1 ends in June"}).json()["subject"] == "v1 ends in June"
    with django_capture_on_commit_callbacks(execute=True):
        assert owner.post(f"{place}/test", {}).status_code == 204
    assert mail.outbox[-1].to == ["alice@example.com"]
    sent = owner.post(f"{place}/send", {}).json()
    assert (sent["state"], sent["waiting"]) == ("sending", 1)
    assert owner.patch(place, {"subject": "Late"}).status_code == 422
    assert owner.delete(place).status_code == 422
    assert owner.post(f"{place}/retry", {}).status_code == 422


def test_an_owner_says_which_apis_a_limited_member_sees(owner: Program, shop: Organization) -> None:
    lena = make_member(shop, make_user("lena"), Role.LIMITED)
    api = make_api(shop)
    place = f"members/{lena.pk}/set-api-grants"
    shown = owner.post(place, {"grants": [{"api": api.pk, "manage": True}]}).json()
    assert shown["api_grants"] == [{"api": api.pk, "manage": True, "money": False}]
    foreign = make_api(make_organization(name="Elsewhere"))
    assert owner.post(place, {"grants": [{"api": foreign.pk}]}).status_code == 422
    assert owner.get(f"members/{lena.pk}").json()["api_grants"] == shown["api_grants"]
    assert owner.post(place, {"grants": []}).json()["api_grants"] == []
    bob = make_member(shop, make_user("bob"), Role.ADMIN)
    assert owner.post(f"members/{bob.pk}/set-api-grants", {"grants": []}).status_code == 422
