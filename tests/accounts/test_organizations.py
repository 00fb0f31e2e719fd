"""Organizations, their members, and their suspension."""

import pytest

from accounts.errors import Refused
from accounts.models import Member, Organization, Role
from accounts.organizations import (
    add_member,
    change_organization,
    change_role,
    create_organization,
    remove_member,
    resume,
    suspend,
)
from accounts.signals import organization_suspended_changed
from tests.factories import audit_actions, make_member, make_organization, make_token, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    """What was announced, as a list of lists of ids."""
    calls = []

    def listen(sender, organization_ids, **_):
        calls.append(organization_ids)

    organization_suspended_changed.connect(listen, weak=False)
    yield calls
    organization_suspended_changed.disconnect(listen)


def test_an_organization_starts_with_its_owner_and_a_slug_from_its_name():
    alice = make_user("alice")
    acme = create_organization(name=" Acme & Söhne ", owner=alice, actor=alice)
    assert (acme.name, acme.slug, acme.timezone) == ("Acme & Söhne", "acme-sohne", "UTC")
    assert list(acme.members.values_list("user__email", "role")) == [("alice@example.com", "owner")]
    assert audit_actions() == ["organization.created"]


def test_organizations_of_the_same_name_get_slugs_of_their_own():
    alice = make_user("alice")
    slugs = [create_organization(name="Acme", owner=alice, actor=None).slug for _ in range(3)]
    assert slugs == ["acme", "acme-2", "acme-3"]


@pytest.mark.parametrize(
    ("name", "slug"), [("東京", "organization"), ("A" * 120, "a" * 60), ("--", "organization")]
)
def test_any_name_makes_a_slug(name, slug):
    alice = make_user("alice")
    assert create_organization(name=name, owner=alice, actor=None).slug == slug
    second = create_organization(name=name, owner=alice, actor=None).slug
    assert second.endswith("-2")
    assert len(second) <= 60


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"timezone": "Berlin"}, "timezone"),
        ({"timezone": ""}, "timezone"),
        ({"billing_email": "nobody"}, "billing_email"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(fields, field):
    with pytest.raises(Refused) as refused:
        create_organization(**({"name": "Acme", "owner": make_user(), "actor": None} | fields))
    assert refused.value.field == field
    assert Organization.objects.count() == 0


def test_a_change_is_written_with_what_was_before():
    acme = make_organization(name="Acme")
    changed = change_organization(organization=acme, actor=None, timezone="Europe/Berlin", name="Acme")
    assert changed.timezone == "Europe/Berlin"
    event = acme.audit_events.get()
    assert (event.action, event.changes) == (
        "organization.changed",
        {"timezone": ["UTC", "Europe/Berlin"]},
    )


def test_a_change_to_the_same_leaves_no_line():
    acme = make_organization(name="Acme")
    change_organization(organization=acme, actor=None, name="Acme")
    assert audit_actions() == []


def test_a_slug_that_is_taken_is_refused():
    make_organization(slug="acme")
    with pytest.raises(Refused, match="taken") as refused:
        change_organization(organization=make_organization(), actor=None, slug="acme")
    assert (refused.value.field, refused.value.code) == ("slug", "taken")


def test_a_member_is_added_once():
    acme, bob = make_organization(), make_user("bob")
    member = add_member(organization=acme, user=bob, role=Role.MEMBER, actor=None)
    assert member.role == "member"
    with pytest.raises(Refused, match="member already"):
        add_member(organization=acme, user=bob, role=Role.ADMIN, actor=None)
    assert audit_actions() == ["member.added"]


def test_an_unknown_role_is_refused():
    with pytest.raises(Refused, match="not a role") as refused:
        add_member(organization=make_organization(), user=make_user(), role="king", actor=None)
    assert refused.value.field == "role"


def test_the_last_owner_can_neither_leave_nor_be_demoted():
    alice = make_user("alice")
    acme = make_organization(alice)
    owner = acme.members.get()
    with pytest.raises(Refused, match="last owner"):
        change_role(member=owner, role=Role.ADMIN, actor=alice)
    with pytest.raises(Refused, match="last owner"):
        remove_member(member=owner, actor=alice)
    assert Member.objects.get().role == Role.OWNER


def test_with_a_second_owner_the_first_may_go():
    alice = make_user("alice")
    acme = make_organization(alice)
    bob = make_member(acme, make_user("bob"))
    assert change_role(member=bob, role=Role.OWNER, actor=alice).role == Role.OWNER
    remove_member(member=acme.members.get(user=alice), actor=alice)
    assert [member.user.email for member in acme.members.all()] == ["bob@example.com"]
    assert audit_actions() == ["member.changed", "member.removed"]


def test_who_is_removed_loses_her_tokens_of_this_organization_only():
    acme, other = make_organization(), make_organization()
    bob = make_user("bob")
    member = make_member(acme, bob)
    make_member(other, bob)
    here, _ = make_token(acme, bob)
    elsewhere, _ = make_token(other, bob)
    remove_member(member=member, actor=None)
    here.refresh_from_db()
    elsewhere.refresh_from_db()
    assert here.revoked_at is not None
    assert elsewhere.revoked_at is None


def test_suspending_and_resuming_are_announced_once_each(heard):
    acme = make_organization()
    assert suspend(organization=acme, actor=None).suspended_at is not None
    assert resume(organization=acme, actor=None).suspended_at is None
    assert heard == [[acme.pk], [acme.pk]]
    assert audit_actions() == ["organization.suspended", "organization.resumed"]


def test_suspending_twice_is_refused_and_not_announced(heard):
    acme = suspend(organization=make_organization(), actor=None)
    with pytest.raises(Refused, match="already suspended"):
        suspend(organization=acme, actor=None)
    with pytest.raises(Refused, match="not suspended"):
        resume(organization=make_organization(), actor=None)
    assert len(heard) == 1
