"""The admin console of people, organizations, tokens and the audit trail."""

import pytest
from django.contrib.messages import get_messages

from accounts.audit import record
from accounts.models import ApiToken, Organization, User
from accounts.webhooks.endpoints import create_endpoint, send_test
from tests.factories import (
    audit_actions,
    make_member,
    make_organization,
    make_staff,
    make_token,
    make_user,
    owner_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(make_staff("boss"))
    return client


def errors(response):
    return response.context["adminform"].form.errors


def act(client, room, action, *rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(f"/admin/accounts/{room}/", data)


def members(organization, *rows, new=()):
    """The inline's form data: (member, role, delete) rows, then new (user, role) pairs."""
    data = {"members-INITIAL_FORMS": len(rows), "members-TOTAL_FORMS": len(rows) + len(new)}
    for number, (member, role, delete) in enumerate(rows):
        start = f"members-{number}"
        data |= {f"{start}-id": member.pk, f"{start}-user": member.user_id, f"{start}-role": role}
        data |= {f"{start}-DELETE": "on"} if delete else {}
    for number, (user, role) in enumerate(new, start=len(rows)):
        data |= {f"members-{number}-user": user.pk, f"members-{number}-role": role}
    fields = {"name": organization.name, "slug": organization.slug, "timezone": organization.timezone}
    return fields | data


def test_every_list_and_page_opens_and_is_searched(staff):
    acme = make_organization()
    token, _ = make_token(acme)
    event = record(organization=acme, actor=None, action="a.b", target=acme, summary="line")
    rows = {"organization": acme, "user": owner_of(acme), "apitoken": token, "auditevent": event}
    for room, row in rows.items():
        assert staff.get(f"/admin/accounts/{room}/?q=a").status_code == 200
        assert staff.get(f"/admin/accounts/{room}/{row.pk}/change/").status_code == 200
    for room in ("organization", "user", "apitoken"):
        assert staff.get(f"/admin/accounts/{room}/add/").status_code == 200


def test_the_audit_trail_cannot_be_written_here(staff):
    acme = make_organization()
    event = record(organization=acme, actor=None, action="a.b", target=acme, summary="line")
    assert staff.get("/admin/accounts/auditevent/add/").status_code == 403
    assert staff.post(f"/admin/accounts/auditevent/{event.pk}/delete/", {"post": "yes"}).status_code == 403
    assert staff.post(f"/admin/accounts/auditevent/{event.pk}/change/", {}).status_code == 403


def test_an_organization_is_made_for_its_owner(staff):
    alice = make_user("alice")
    data = {"name": "Acme", "owner": alice.email, "billing_email": "", "timezone": "Europe/Berlin"}
    response = staff.post("/admin/accounts/organization/add/", data)
    assert response.status_code == 302, errors(response)
    acme = Organization.objects.get()
    assert (acme.slug, owner_of(acme)) == ("acme", alice)
    wrong = staff.post("/admin/accounts/organization/add/", data | {"timezone": "Berlin"})
    assert "not a time zone" in str(errors(wrong)["timezone"])
    unknown = staff.post("/admin/accounts/organization/add/", data | {"owner": "nobody@example.com"})
    assert "Nobody here" in str(errors(unknown)["owner"])


def test_members_are_added_changed_and_removed(staff):
    acme, bob, carol = make_organization(), make_user("bob"), make_user("carol")
    owner, helper = acme.members.get(), make_member(acme, bob)
    data = members(acme, (owner, "owner", True), (helper, "owner", False), new=[(carol, "billing")])
    assert staff.post(f"/admin/accounts/organization/{acme.pk}/change/", data).status_code == 302
    assert set(acme.members.values_list("user__email", "role")) == {
        ("bob@example.com", "owner"),
        ("carol@example.com", "billing"),
    }
    assert audit_actions() == ["member.added", "member.changed", "member.removed"]


def test_the_last_owner_stays_and_the_reason_is_shown(staff):
    acme = make_organization()
    data = members(acme, (acme.members.get(), "owner", True)) | {"name": "Other"}
    response = staff.post(f"/admin/accounts/organization/{acme.pk}/change/", data)
    assert "last owner" in str(errors(response))
    acme.refresh_from_db()
    assert (acme.members.count(), acme.name == "Other") == (1, False)


def test_an_organization_is_suspended_and_resumed(staff):
    acme = make_organization()
    act(staff, "organization", "suspend", acme)
    act(staff, "organization", "resume", acme)
    assert audit_actions() == ["organization.suspended", "organization.resumed"]


def test_a_person_is_made_with_her_organization(staff):
    data = {
        "email": "alice@example.com",
        "name": "Alice",
        "usable_password": "true",
        "password1": "correct horse battery",
        "password2": "correct horse battery",
    }
    response = staff.post("/admin/accounts/user/add/", data)
    assert response.status_code == 302, errors(response)
    alice = User.objects.get(email="alice@example.com")
    assert alice.check_password("correct horse battery")
    assert alice.memberships.get().organization.name == "Alice"


def test_a_person_is_changed_and_locked_out(staff):
    alice = make_user("alice")
    assert staff.post(f"/admin/accounts/user/{alice.pk}/change/", {"name": "Alicia"}).status_code == 302
    alice.refresh_from_db()
    assert (alice.name, alice.is_active) == ("Alicia", False)
    assert audit_actions() == ["person.changed"]
    assert staff.post(f"/admin/accounts/user/{alice.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_new_password_leaves_a_line(staff):
    alice = make_user("alice")
    data = {"password1": "correct horse 2", "password2": "correct horse 2", "usable_password": "true"}
    assert staff.post(f"/admin/accounts/user/{alice.pk}/password/", data).status_code == 302
    alice.refresh_from_db()
    assert alice.check_password("correct horse 2")
    assert audit_actions() == ["person.password_set"]


def test_an_address_is_taken_as_verified(staff):
    alice = make_user("alice")
    alice.emailaddress_set.update(verified=False)
    act(staff, "user", "verify_addresses", alice)
    assert alice.emailaddress_set.get().verified


def test_staff_without_all_rights_do_not_raise_themselves(client):
    from django.contrib.auth.models import Permission

    clerk, boss = make_user("clerk", is_staff=True), make_staff("boss")
    clerk.user_permissions.set(Permission.objects.filter(codename__in=["change_user", "view_user"]))
    client.force_login(clerk)
    data = {"name": "Clerk", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    client.post(f"/admin/accounts/user/{clerk.pk}/change/", data)
    clerk.refresh_from_db()
    assert not clerk.is_superuser
    new = {"password1": "correct horse 2", "password2": "correct horse 2", "usable_password": "true"}
    assert client.post(f"/admin/accounts/user/{boss.pk}/password/", new).status_code == 403


def test_a_token_is_shown_once_and_revoked(staff):
    acme = make_organization()
    data = {"organization": acme.pk, "user": owner_of(acme).pk, "name": "ci"}
    response = staff.post("/admin/accounts/apitoken/add/", data)
    assert response.status_code == 302, errors(response)
    token = ApiToken.objects.get()
    [text] = [str(each) for each in get_messages(response.wsgi_request) if "Copy" in str(each)]
    page = staff.get(f"/admin/accounts/apitoken/{token.pk}/change/").content.decode()
    again = staff.get(f"/admin/accounts/apitoken/{token.pk}/change/").content.decode()
    assert text.split()[-1] in page
    assert text.split()[-1] not in again
    assert token.hash not in page + again
    act(staff, "apitoken", "revoke", token)
    token.refresh_from_db()
    assert token.state == "Revoked"


def test_a_token_for_a_stranger_is_an_error_at_the_person(staff):
    data = {"organization": make_organization().pk, "user": make_user("charlie").pk, "name": "ci"}
    response = staff.post("/admin/accounts/apitoken/add/", data)
    assert "not a member" in str(errors(response)["user"])


def test_staff_choose_who_pays_for_an_organization(staff):
    child, parent, other = (make_organization() for _ in range(3))
    address = f"/admin/accounts/organization/{child.pk}/change/"
    for payer in (parent, other):
        owner = child.members.get()
        response = staff.post(address, members(child, (owner, "owner", False)) | {"billing_parent": payer.pk})
        assert response.status_code == 302, errors(response)
        child.refresh_from_db()
        assert child.billing_parent == payer
    response = staff.post(address, members(child, (owner, "owner", False)) | {"billing_parent": child.pk})
    assert "pays its own bills" in str(errors(response)["billing_parent"])
    staff.post(address, members(child, (owner, "owner", False)) | {"billing_parent": ""})
    child.refresh_from_db()
    assert child.billing_parent is None
    assert audit_actions() == [
        f"billing_group.{each}" for each in ("joined", "left", "joined", "left") for _ in range(2)
    ]


def test_staff_see_webhooks_and_deliveries_but_no_secret(staff, django_assert_max_num_queries):
    endpoint, secret = create_endpoint(
        organization=make_organization(), url="https://example.com/hooks", actor=None
    )
    delivery = send_test(endpoint=endpoint, actor=None)
    for path in (
        "webhookendpoint/", f"webhookendpoint/{endpoint.pk}/change/", "webhookdelivery/",
        f"webhookdelivery/{delivery.pk}/change/",
    ):  # fmt: skip
        with django_assert_max_num_queries(20):
            page = staff.get(f"/admin/accounts/{path}")
        assert page.status_code == 200
        assert secret not in page.content.decode()
        assert endpoint.sealed_secret not in page.content.decode()
    assert "https://example.com/hooks" in staff.get("/admin/accounts/webhookendpoint/").content.decode()
