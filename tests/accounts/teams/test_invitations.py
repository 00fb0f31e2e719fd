"""Invitations into an organization: who may use a link, how often, and for how long."""

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.utils.timezone import now

from accounts.errors import Refused
from accounts.models import MemberInvitation, Role, User
from accounts.organizations import change_role
from accounts.teams import invitations as verbs
from accounts.webhooks.endpoints import create_endpoint
from accounts.webhooks.models import WebhookEvent
from tests.factories import audit_actions, make_member, make_organization, make_user, owner_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def acme():
    return make_organization(make_user("alice"), name="Acme")


@pytest.fixture
def invite(acme, django_capture_on_commit_callbacks):
    """Invite an address and return the invitation and the secret of the link in the mail."""

    def do(email="bob@example.com", role=Role.MEMBER, **fields):
        with django_capture_on_commit_callbacks(execute=True):
            given = {"organization": acme, "actor": owner_of(acme)} | fields
            made = verbs.invite_member(email=email, role=role, **given)
        return made, secret_in(mail.outbox[-1])

    return do


def secret_in(message):
    return re.search(r"http://localhost:8000/invitations/(\S+)/", message.body).group(1)


def test_who_has_no_account_yet_gets_a_link_and_accepts_it_once_she_has_one(acme, invite):
    made, secret = invite("Dora@Example.com", Role.BILLING)
    assert mail.outbox[-1].to == ["dora@example.com"]
    assert "alice@example.com invites you to join Acme as billing" in mail.outbox[-1].body
    assert verbs.find_invitation(secret) == made
    assert secret not in str(MemberInvitation.objects.values().get())
    dora = make_user("dora")
    member = verbs.accept_invitation(invitation=made, user=dora)
    assert (member.user, member.role, member.organization) == (dora, "billing", acme)
    assert audit_actions() == ["member.invited", "member.added"]


def test_a_link_works_once(invite):
    made, _ = invite()
    bob = make_user("bob")
    verbs.accept_invitation(invitation=made, user=bob)
    with pytest.raises(Refused, match="accepted"):
        verbs.accept_invitation(invitation=made, user=bob)
    with pytest.raises(Refused, match="accepted already"):
        verbs.withdraw_member_invitation(invitation=made, actor=None)


def test_a_link_alone_lets_nobody_else_in(acme, invite):
    made, _ = invite()
    charlie = make_user("charlie")
    with pytest.raises(Refused, match=r"for bob@example.com, and you are signed in as charlie@example.com"):
        verbs.accept_invitation(invitation=made, user=charlie)
    # whoever claims the address without having shown that it is hers
    charlie.emailaddress_set.create(email="bob@example.com", verified=False)
    with pytest.raises(Refused, match=r"for bob@example.com"):
        verbs.accept_invitation(invitation=made, user=charlie)
    assert acme.members.count() == 1


def test_a_link_ends_after_a_week_and_a_new_one_ends_the_old(invite):
    made, old = invite()
    MemberInvitation.objects.update(
        expires_at=now() - timedelta(seconds=1), sent_at=now() - timedelta(days=7)
    )
    bob = make_user("bob")
    with pytest.raises(Refused, match="expired"):
        verbs.accept_invitation(invitation=made, user=bob)
    again = verbs.resend_invitation(invitation=made, actor=None)
    assert again.state == "open"
    assert again.expires_at > now() + timedelta(days=6)
    assert verbs.find_invitation(old) is None
    with pytest.raises(Refused, match="a moment ago"):
        verbs.resend_invitation(invitation=made, actor=None)
    verbs.accept_invitation(invitation=made, user=bob)


def test_a_withdrawn_link_is_dead_and_the_address_can_be_invited_again(invite):
    made, _ = invite()
    verbs.withdraw_member_invitation(invitation=made, actor=None)
    with pytest.raises(Refused, match="withdrawn"):
        verbs.accept_invitation(invitation=made, user=make_user("bob"))
    again, _ = invite()
    assert again.state == "open"


@pytest.mark.parametrize(
    ("email", "role", "field"),
    [
        ("nobody", "member", "email"),
        ("alice@example.com", "member", "email"),
        ("bob@example.com", "queen", "role"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(invite, email, role, field):
    with pytest.raises(Refused) as refused:
        invite(email, role)
    assert refused.value.field == field
    assert not MemberInvitation.objects.exists()


def test_an_address_is_invited_once_at_a_time_and_not_too_many_wait(invite, monkeypatch):
    invite()
    with pytest.raises(Refused, match="invited already"):
        invite("BOB@example.com")
    monkeypatch.setattr(verbs, "MOST_OPEN", 2)
    invite("carol@example.com")
    with pytest.raises(Refused, match="2 invitations are waiting"):
        invite("dora@example.com")
    MemberInvitation.objects.update(expires_at=now())
    invite("dora@example.com")


def test_an_invitation_falls_with_the_right_of_its_sender(acme, invite):
    admin = make_member(acme, make_user("bob"), Role.ADMIN)
    made, _ = invite("dora@example.com", actor=admin.user)
    change_role(member=admin, role=Role.MEMBER, actor=None)
    with pytest.raises(Refused, match="Ask Acme for a new invitation"):
        verbs.accept_invitation(invitation=made, user=make_user("dora"))
    assert User.objects.get(email="dora@example.com").memberships.count() == 0


def test_programs_are_told_of_who_comes_and_goes(acme, invite):
    create_endpoint(organization=acme, url="http://127.0.0.1:9/", actor=None)
    made, secret = invite()
    verbs.accept_invitation(invitation=made, user=make_user("bob"))
    events = list(WebhookEvent.objects.order_by("pk").values_list("type", "data"))
    assert {kind for kind, _ in events} == {"member.invited", "member.added"}
    assert dict(events)["member.added"] | {"member": 0} == {
        "member": 0,
        "email": "bob@example.com",
        "role": "member",
        "old_role": None,
    }
    assert secret not in str(events)
