"""Who may come in, and what her role lets her do."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from accounts.models import Role
from tests.factories import make_member, make_organization, make_token, make_user, owner_of
from tests.rest.conftest import Program
from tests.rest.problems import fault, problem


@pytest.mark.parametrize(
    "fields", [{"expires_at": now() - timedelta(days=1)}, {"revoked_at": now() - timedelta(days=1)}]
)
def test_a_dead_token_is_401_and_says_so(program, fields):
    response = program(make_organization(), **fields).get("apis")
    assert "revoked or expired" in problem(response, 401)["detail"]
    assert 'error="invalid_token"' in response["WWW-Authenticate"]


def test_nonsense_instead_of_a_token_is_401(db):
    for header in ("Bearer", "Bearer a b", "Bearer \u00e4\u00f6", "Bearer gat_x", "Basic YTpi", "gat_x"):
        client = Program().client
        problem(client.get("/api/v1/apis", headers={"Authorization": header}), 401)


def test_a_person_who_left_takes_her_tokens_with_her(program, alice):
    bob = make_member(alice.organization, make_user("bob"), Role.ADMIN)
    bobs = program(alice.organization, bob.user)
    assert bobs.get("apis").status_code == 200
    bob.delete()
    problem(bobs.get("apis"), 401)


def test_a_person_who_is_not_active_is_not_let_in(program):
    organization = make_organization()
    person = owner_of(organization)
    token = program(organization)
    person.is_active = False
    person.save()
    problem(token.get("apis"), 401)


def test_a_read_only_token_may_only_get(program, alice):
    reader = program(alice.organization, read_only=True)
    assert reader.get("apis").status_code == 200
    assert reader.client.head("/api/v1/apis").status_code == 200
    for response in (
        reader.post("apis", {"name": "Weather"}),
        reader.patch("apis/abcdefghij", {}),
        reader.delete("keys/abcdefghij"),
        reader.post("keys/abcdefghij/revoke"),
    ):
        assert "read-only" in problem(response, 403)["detail"]


@pytest.mark.parametrize(
    ("role", "path", "allowed"),
    [
        (Role.OWNER, "apis", True),
        (Role.MEMBER, "apis", True),
        (Role.BILLING, "apis", False),
        (Role.MEMBER, "rate-cards", False),
        (Role.BILLING, "rate-cards", False),
        (Role.ADMIN, "rate-cards", True),
        (Role.ADMIN, "nodes", False),
        (Role.OWNER, "organizations", False),
    ],
)
def test_the_role_limits_what_is_written(program, alice, role, path, allowed):
    member = make_member(alice.organization, make_user(), role)
    response = program(alice.organization, member.user).post(path, {"name": "Something"})
    if allowed:
        assert response.status_code == 201, response.content
    else:
        problem(response, 403)


def test_members_do_not_see_bills_and_billing_does(program, alice):
    for role, status in ((Role.MEMBER, 403), (Role.BILLING, 200), (Role.ADMIN, 200)):
        member = make_member(alice.organization, make_user(), role)
        theirs = program(alice.organization, member.user)
        assert theirs.get("invoices").status_code == status
        assert theirs.get("usage/estimate").status_code == status
        assert theirs.get("usage").status_code == 200


def test_prices_of_plans_are_for_those_who_administer(program, alice):
    member = make_member(alice.organization, make_user(), Role.MEMBER)
    theirs = program(alice.organization, member.user)
    plan = theirs.made("usage-plans", {"name": "Free"})
    problem(theirs.patch(f"usage-plans/{plan['id']}", {"rate_card": None}), 403)


def test_nothing_is_written_in_a_suspended_organization(alice):
    alice.organization.suspended_at = now()
    alice.organization.save()
    assert alice.get("apis").status_code == 200
    assert "suspended" in problem(alice.post("apis", {"name": "Weather"}), 403)["detail"]


def test_a_superusers_token_sees_and_writes_for_everybody(staff, alice):
    made = alice.made("apis", {"name": "Weather"})
    assert staff.get(f"apis/{made['id']}").json() == made
    body = {"name": "Tides", "organization": alice.organization.pk}
    assert staff.made("apis", body)["organization"] == alice.organization.pk


def test_others_write_for_their_own_organization_only(alice, charlie):
    body = {"name": "Tides", "organization": charlie.organization.pk}
    fault(alice.post("apis", body), "organization", "does_not_exist")


def test_the_use_of_a_token_is_noted(alice):
    token, text = make_token(alice.organization)
    Program(text).get("apis")
    token.refresh_from_db()
    assert token.last_used_at is not None
