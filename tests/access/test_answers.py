"""A provider's answers to what waits, and what the developer reads."""

import pytest
from django.core import mail

from access.answers import approve_request, refuse_request
from access.change_plan import change_plan
from access.models import Subscription
from access.queries import waiting_for_approval
from access.subscribe import subscribe
from accounts.errors import Refused
from accounts.models import User
from tests.factories import (
    audit_actions,
    make_application,
    make_member,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def waiting(alice: User) -> Subscription:
    application = make_application(make_organization(alice), name="Till")
    return subscribe(
        application=application, plan=make_plan(name="Gold", requires_approval=True), actor=alice
    )


@pytest.fixture
def changing(alice: User) -> Subscription:
    """Bob, a member, asked for a change from Bronze to Gold."""
    stage = make_stage()
    organization = make_organization(alice)
    bob = make_member(organization, make_user("bob")).user
    subscription = make_subscription(
        make_application(organization, name="Till"), make_plan(stage, name="Bronze")
    )
    gold = make_plan(stage, name="Gold", requires_approval=True)
    return change_plan(subscription=subscription, plan=gold, actor=bob)


def test_who_asked_is_told_that_it_is_approved(waiting, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        assert approve_request(subscription=waiting, actor=None).state == "active"
    (message,) = mail.outbox
    assert message.to == ["alice@example.com"]
    assert message.subject == "[Gatehouse] Gold is approved for Till"
    assert f"/console/applications/{waiting.application_id}/" in message.body


def test_a_refusal_ends_a_new_subscription_and_says_why(waiting, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        refused = refuse_request(subscription=waiting, reason=" Tell us\nmore. ", actor=None)
    assert (refused.state, refused.ended_at) == ("cancelled", waiting.started_at)
    assert "Reason: Tell us more." in mail.outbox[0].body
    for organization in (waiting.organization, waiting.provider):
        line = organization.audit_events.first()
        assert line.action == "subscription.refused"
        assert line.summary.endswith("on Gold: Tell us more.")
    assert not waiting_for_approval(waiting.provider).exists()


def test_a_change_is_approved_and_its_asker_told(changing, django_capture_on_commit_callbacks):
    assert list(waiting_for_approval(changing.provider)) == [changing]
    with django_capture_on_commit_callbacks(execute=True):
        changed = approve_request(subscription=changing, actor=None)
    assert changed.plan.name == "Gold"
    assert mail.outbox[0].to == ["bob@example.com"]
    assert "from Bronze to Gold. It is on the new plan now." in mail.outbox[0].body


def test_a_refused_change_leaves_the_plan(changing, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        kept = refuse_request(subscription=changing, reason="Not yet", actor=None)
    kept.refresh_from_db()
    assert (kept.state, kept.plan.name, kept.next_plan, kept.next_plan_waits) == (
        "active",
        "Bronze",
        None,
        False,
    )
    assert "It stays on Bronze." in mail.outbox[0].body
    assert audit_actions()[-1] == "subscription.change_refused"


def test_who_left_is_not_written_to(waiting, alice, django_capture_on_commit_callbacks):
    make_member(waiting.organization, make_user("carol"), "owner")
    waiting.organization.members.filter(user=alice).delete()
    with django_capture_on_commit_callbacks(execute=True):
        refuse_request(subscription=waiting, reason="Why not", actor=None)
    assert mail.outbox[0].to == ["carol@example.com"]


@pytest.mark.parametrize("reason", ["", "  ", "x" * 201])
def test_a_refusal_needs_a_reason(waiting, reason):
    with pytest.raises(Refused) as refused:
        refuse_request(subscription=waiting, reason=reason, actor=None)
    assert refused.value.field == "reason"


def test_what_does_not_wait_is_not_answered():
    subscription = make_subscription()
    for verb in (
        lambda: refuse_request(subscription=subscription, reason="No", actor=None),
        lambda: approve_request(subscription=subscription, actor=None),
    ):
        with pytest.raises(Refused) as refused:
            verb()
        assert refused.value.code == "wrong_state"
