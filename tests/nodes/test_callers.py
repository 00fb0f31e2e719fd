"""API tokens as callers of keys/verify, and how stages are named there."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils.timezone import now

from access.applications import change_application
from accounts.models import ApiToken, Organization, User
from accounts.organizations import change_organization, change_role, remove_member, resume, suspend
from accounts.people import change_person
from accounts.tokens import create_token, find_token, revoke_token
from apis.models import Stage
from apis.signals import stages_changed
from gateway import entries as shapes
from nodes import compile_callers as compiler
from nodes.models import Entry
from nodes.rebuild import rebuild
from tests.factories import (
    make_api,
    make_key,
    make_member,
    make_organization,
    make_staff,
    make_stage,
    make_token,
    make_version,
    owner_of,
)

pytestmark = pytest.mark.django_db
LATER = datetime(2200, 1, 1, tzinfo=UTC)


def entry_of(token: ApiToken) -> Any:
    return Entry.objects.get(kind="caller", key=token.hash).data


def test_a_token_is_a_caller_from_its_making_to_its_end() -> None:
    organization = make_organization()
    token, text = create_token(
        organization=organization, user=owner_of(organization), name="ci", actor=None, expires_at=LATER
    )
    assert entry_of(token) == {
        "id": token.pk, "organization": organization.pk, "expires_at": LATER.timestamp(),
    }  # fmt: skip
    assert text not in str(list(Entry.objects.values()))
    revoke_token(token=token, actor=None)
    assert entry_of(token) is None


def test_read_only_tokens_and_those_of_superusers_say_so() -> None:
    staff = make_staff()
    reader, _ = make_token(make_organization(staff), staff, read_only=True)
    (change,) = compiler.callers([reader.pk])
    assert (change.data.read_only, change.data.everything) == (True, True)


def test_who_is_limited_to_chosen_apis_asks_about_no_keys() -> None:
    organization = make_organization()
    bob = make_member(organization)
    token, _ = create_token(organization=organization, user=bob.user, name="ci", actor=None)
    change_role(member=bob, role="limited", actor=None)
    assert entry_of(token) is None
    change_role(member=bob, role="member", actor=None)
    assert entry_of(token) is not None


def test_whoever_leaves_takes_her_tokens_with_her() -> None:
    organization = make_organization()
    member = make_member(organization)
    token, _ = make_token(organization, member.user)
    rebuild()
    remove_member(member=member, actor=None)
    assert entry_of(token) is None


def test_a_person_who_may_not_sign_in_has_no_callers() -> None:
    organization = make_organization()
    token, _ = make_token(organization)
    rebuild()
    for living in (False, True):
        change_person(user=owner_of(organization), actor=None, is_active=living)
        assert (entry_of(token) is not None) is living


def test_a_suspended_organization_has_no_callers() -> None:
    organization = make_organization()
    token, _ = make_token(organization)
    rebuild()
    suspend(organization=organization, actor=None)
    assert entry_of(token) is None
    resume(organization=Organization.objects.get(), actor=None)
    assert entry_of(token) is not None


@pytest.mark.parametrize(
    ("user", "token"),
    [
        ({}, {}),
        ({"is_active": False}, {}),
        ({}, {"revoked_at": now()}),
        ({}, {"user": None}),
        ({"is_superuser": True}, {"user": None}),
    ],
)
def test_a_caller_is_who_the_management_api_takes_for_one(
    user: dict[str, Any], token: dict[str, Any]
) -> None:
    organization = make_organization()
    fields = token | ({"user": make_staff()} if "user" in token else {})
    row, text = make_token(organization, **{"user": owner_of(organization)} | fields)
    User.objects.filter(pk=row.user_id).update(**{"is_superuser": False} | user)
    (change,) = compiler.callers([row.pk])
    assert (change.data is not None) == (find_token(text) is not None)


def test_an_api_names_its_deployed_stages_by_id_and_by_slug() -> None:
    api = make_api(slug="weather")
    live = make_stage(make_version(api, name="v1"))
    make_stage(live.version, name="next", deployment=None)
    expected = shapes.Api(api.pk, "weather", api.organization_id, {live.pk: ["live", live.version_id, "v1"]})
    assert {change.key: change.data for change in compiler.apis([api.pk])} == {
        api.pk: expected, "~weather": expected,
    }  # fmt: skip


def test_an_api_whose_last_stage_goes_is_gone() -> None:
    stage = make_stage()
    api = stage.version.api
    rebuild()
    pk = stage.pk
    stage.delete()
    stages_changed.send(Stage, stage_ids=[pk])
    rows = Entry.objects.filter(kind="api")
    assert {(row.key, row.data) for row in rows} == {(api.pk, None), (f"~{api.slug}", None)}


def test_new_names_reach_the_entries_of_keys() -> None:
    key, _ = make_key()
    rebuild()
    change_application(application=key.application, actor=None, name="Rain")
    change_organization(organization=key.organization, actor=None, name="Rain Ltd")
    told = Entry.objects.get(kind="key").data["about"]
    assert (told["application"]["name"], told["account"]["name"]) == ("Rain", "Rain Ltd")
    assert rebuild() == 0
