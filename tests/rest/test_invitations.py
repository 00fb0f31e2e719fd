"""Invitations into an organization by REST."""

import pytest
from django.core import mail

from accounts.models import MemberInvitation, Role
from tests.factories import make_member, make_token, make_user
from tests.rest.conftest import Program
from tests.rest.problems import fault, problem

pytestmark = pytest.mark.django_db


def test_a_program_invites_looks_resends_and_withdraws(alice, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        made = alice.made("member-invitations", {"email": "Dora@Example.com", "role": "billing"})
    assert (made["email"], made["role"], made["state"]) == ("dora@example.com", "billing", "open")
    assert mail.outbox[-1].to == ["dora@example.com"]
    # the link is in the mail and nowhere else
    assert "ghi_" not in str(made)
    assert alice.get("member-invitations", waiting="true").json()["results"] == [made]
    path = f"member-invitations/{made['id']}"
    problem(alice.post(f"{path}/resend"), 422)
    MemberInvitation.objects.update(sent_at="2026-01-01T00:00:00Z")
    assert alice.post(f"{path}/resend").json()["sent_at"] != made["sent_at"]
    assert alice.delete(path).status_code == 204
    assert alice.get(path).json()["state"] == "withdrawn"
    assert alice.get("member-invitations", waiting="true").json()["results"] == []
    problem(alice.delete(path), 422)


def test_who_is_a_member_already_is_refused_at_the_address(alice):
    fault(alice.post("member-invitations", {"email": "alice@example.com"}), "email")


def test_only_owners_invite_owners_and_members_invite_nobody(alice):
    for role, wish, status in (
        (Role.ADMIN, "owner", 403),
        (Role.ADMIN, "admin", 201),
        (Role.MEMBER, "member", 403),
    ):
        bob = make_member(alice.organization, make_user(), role)
        program = Program(make_token(alice.organization, bob.user)[1])
        found = program.post("member-invitations", {"email": f"{bob.pk}@example.com", "role": wish})
        assert found.status_code == status
