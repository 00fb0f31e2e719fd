"""Bearer tokens of the management API."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from accounts.errors import Refused
from accounts.models import ApiToken
from accounts.secret_text import hash_of
from accounts.tokens import create_token, find_token, revoke_token
from tests.factories import (
    audit_actions,
    make_member,
    make_organization,
    make_staff,
    make_token,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_a_token_is_shown_once_and_stored_as_a_hash():
    alice = make_user("alice")
    token, text = create_token(organization=make_organization(alice), user=alice, name="ci", actor=alice)
    stored = ApiToken.objects.values().get()
    assert text.startswith("gat_")
    assert token.prefix == text[:12]
    assert stored["hash"] == hash_of(text)
    assert text not in str(stored)
    assert audit_actions() == ["token.created"]
    assert text not in token.organization.audit_events.get().summary


def test_a_token_is_found_by_its_text_with_one_query_for_each_thing_asked(django_assert_num_queries):
    token, text = make_token(make_organization())
    with django_assert_num_queries(3):  # token, membership, note of use
        found = find_token(text)
    assert found == token
    with django_assert_num_queries(2):
        assert find_token(text).organization == token.organization


@pytest.mark.parametrize("text", ["", "gat_", "gat_" + "a" * 39, "gh_live_" + "a" * 39, "gat_ä" * 9])
def test_a_malformed_text_is_refused_without_a_look_up(text, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert find_token(text) is None


def test_a_wrong_letter_is_caught_by_the_checksum(django_assert_num_queries):
    _, text = make_token(make_organization())
    wrong = text[:10] + ("a" if text[10] != "a" else "b") + text[11:]
    with django_assert_num_queries(0):
        assert find_token(wrong) is None


def test_use_is_noted_once_a_minute_at_most():
    token, text = make_token(make_organization())
    first = find_token(text).last_used_at
    assert first is not None
    assert find_token(text).last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=2))
    assert find_token(text).last_used_at > first
    token.refresh_from_db()
    assert token.last_used_at > first


def test_a_revoked_token_is_not_found():
    token, text = make_token(make_organization())
    revoke_token(token=token, actor=None)
    assert find_token(text) is None
    with pytest.raises(Refused, match="already revoked"):
        revoke_token(token=token, actor=None)
    assert audit_actions() == ["token.revoked"]


def test_an_expired_token_is_not_found():
    _, text = make_token(make_organization(), expires_at=now() - timedelta(seconds=1))
    assert find_token(text) is None


def test_who_may_not_sign_in_has_no_token():
    alice = make_user("alice")
    _, text = make_token(make_organization(alice))
    alice.is_active = False
    alice.save()
    assert find_token(text) is None


def test_who_left_the_organization_has_no_token():
    acme, bob = make_organization(), make_user("bob")
    member = make_member(acme, bob)
    _, text = make_token(acme, bob)
    member.delete()
    assert find_token(text) is None


def test_a_superuser_needs_no_membership():
    acme, staff = make_organization(), make_staff()
    token, text = create_token(organization=acme, user=staff, name="all", actor=staff)
    assert find_token(text) == token


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"expires_at": now() - timedelta(days=1)}, "expires_at"),
        ({"user": None}, "user"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(fields, field):
    alice = make_user("alice")
    given = {"organization": make_organization(alice), "user": alice, "name": "ci", "actor": None}
    if "user" in fields:
        fields = {"user": make_user("charlie")}
    with pytest.raises(Refused) as refused:
        create_token(**(given | fields))
    assert refused.value.field == field
    assert ApiToken.objects.count() == 0
