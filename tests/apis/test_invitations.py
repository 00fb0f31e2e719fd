"""Who sees an API that is for the invited."""

import pytest
from django.core import mail
from django.urls import reverse

from access.queries import open_plans
from accounts.errors import Refused
from apis.invitations import invite, withdraw_invitation
from apis.models import ApiInvitation, Visibility
from apis.queries import catalogue
from tests.factories import (
    audit_actions,
    make_api,
    make_member,
    make_organization,
    make_plan,
    make_staff,
    make_stage,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    api = make_api(visibility=Visibility.INVITED, name="Secret", slug="secret")
    make_plan(make_stage(make_version(api)))
    return api


def sees(user) -> bool:
    """Both the API and its plan, or neither."""
    api, plan = catalogue(user).exists(), open_plans(user).exists()
    assert api == plan
    return api


def test_only_the_invited_and_the_provider_see_it(api):
    alice, bob, charlie = make_user("alice"), make_user("bob"), make_user("charlie")
    make_member(api.organization, alice)
    club = make_organization(bob)
    assert [sees(each) for each in (None, alice, bob, charlie)] == [False, True, False, False]
    by_address = invite(api=api, email=" Charlie@Example.com ", actor=alice)
    by_club = invite(api=api, invited=club, actor=alice)
    assert [sees(each) for each in (None, alice, bob, charlie)] == [False, True, True, True]
    for each in (by_address, by_club):
        withdraw_invitation(invitation=each, actor=alice)
    assert [sees(each) for each in (alice, bob, charlie)] == [True, False, False]
    assert audit_actions() == ["api.invited", "api.invited", "api.uninvited", "api.uninvited"]


def test_an_invitation_opens_nothing_but_what_is_for_the_invited(api):
    charlie = make_user("charlie")
    invite(api=api, email=charlie.email, actor=None)
    api.visibility = Visibility.PRIVATE
    api.save()
    assert not sees(charlie)


def test_a_token_acts_for_one_organization_only(api):
    bob = make_user("bob")
    one, other = make_organization(bob), make_organization(bob)
    invite(api=api, invited=one, actor=None)
    assert open_plans(bob, acting_for=one).exists()
    assert not open_plans(bob, acting_for=other).exists()


def test_the_invited_are_told(api, django_capture_on_commit_callbacks):
    club = make_organization(billing_email="club@example.com")
    with django_capture_on_commit_callbacks(execute=True):
        invite(api=api, email="charlie@example.com", actor=None)
        invite(api=api, invited=club, actor=None)
    assert [each.to for each in mail.outbox] == [["charlie@example.com"], ["club@example.com"]]
    assert "invites you to Secret" in mail.outbox[0].subject
    assert "/apis/secret/" in mail.outbox[0].body


def test_what_is_no_invitation_is_refused(api):
    club = make_organization()
    invite(api=api, email="charlie@example.com", actor=None)
    invite(api=api, invited=club, actor=None)
    for given, field in (
        ({}, "email"),
        ({"email": "a@example.com", "invited": club}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": "CHARLIE@example.com"}, "email"),
        ({"invited": club}, "invited"),
        ({"invited": api.organization}, "invited"),
    ):
        with pytest.raises(Refused) as refused:
            invite(api=api, actor=None, **given)
        assert refused.value.field == field
    assert ApiInvitation.objects.count() == 2


def test_staff_invite_and_withdraw_in_the_admin_console(api, client):
    client.force_login(make_staff("sam"))
    add = reverse("admin:apis_apiinvitation_add")
    assert client.post(add, {"api": api.pk, "email": "charlie@example.com"}).status_code == 302
    row = ApiInvitation.objects.get()
    assert (row.organization, row.email) == (api.organization, "charlie@example.com")
    again = client.post(add, {"api": api.pk, "email": "charlie@example.com"})
    assert again.status_code == 200
    assert ApiInvitation.objects.count() == 1
    assert client.get(reverse("admin:apis_apiinvitation_changelist"), {"q": "char"}).status_code == 200
    assert (
        client.post(reverse("admin:apis_apiinvitation_delete", args=[row.pk]), {"post": "yes"}).status_code
        == 302
    )
    assert not ApiInvitation.objects.exists()
