"""API keys: made, shown once, rotated, revoked."""

from datetime import timedelta

import pytest
from django.utils.timezone import now

from access.keys import (
    MAX_GRACE,
    MAX_KEYS,
    change_key,
    create_key,
    disable_key,
    enable_key,
    living,
    parse_key,
    revoke_key,
    rotate_key,
)
from access.models import ApiKey
from accounts.errors import Refused
from accounts.secret_text import hash_of
from tests.factories import audit_actions, make_application, make_key

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)


def test_a_key_is_shown_once_and_stored_as_a_hash(heard, caplog):
    key, text = create_key(application=make_application(), name="ci", actor=None, environment="test")
    stored = ApiKey.objects.values().get()
    assert text.startswith("gh_test_")
    assert len(text) == 47
    assert (key.prefix, key.hash) == (text[:12], hash_of(text))
    assert text not in str(stored)
    assert text not in str(list(key.organization.audit_events.values()))
    assert text not in caplog.text
    assert heard == [("keys", [key.pk])]
    assert audit_actions() == ["key.created"]


@pytest.mark.parametrize("environment", ["live", "test"])
def test_a_key_is_parsed_without_a_look_up(environment, django_assert_num_queries):
    key, text = make_key(environment=environment)
    with django_assert_num_queries(0):
        parsed = parse_key(text)
    assert (parsed.environment, parsed.prefix, parsed.hash) == (environment, key.prefix, key.hash)


@pytest.mark.parametrize(
    "text",
    ["", "gh_live_", "gat_" + "0" * 39, "gh_prod_" + "0" * 39, "gh_live_" + "0" * 39, "x" * 1000],
)
def test_what_is_no_key_is_not_parsed(text):
    assert parse_key(text) is None


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"environment": "prod"}, "environment"),
        ({"expires_at": now() - HOUR}, "expires_at"),
        ({"not_before": now() + 3 * HOUR, "expires_at": now() + HOUR}, "not_before"),
    ],
)
def test_a_wrong_field_is_refused_by_its_name(fields, field, heard):
    with pytest.raises(Refused) as refused:
        create_key(**({"application": make_application(), "name": "ci", "actor": None} | fields))
    assert refused.value.field == field
    assert (ApiKey.objects.count(), heard) == (0, [])


def test_an_application_has_a_handful_of_living_keys():
    application = make_application()
    for _ in range(MAX_KEYS):
        make_key(application)
    make_key(application, state="revoked")
    make_key(application, expires_at=now() - HOUR)
    with pytest.raises(Refused, match="revoke one") as refused:
        create_key(application=application, name="one more", actor=None)
    assert refused.value.code == "too_many"
    revoke_key(key=application.keys.filter(state="active", expires_at=None).first(), actor=None)
    assert create_key(application=application, name="one more", actor=None)[0].pk


def test_every_move_is_announced_and_written_down_once(heard):
    key, _ = make_key()
    states = [verb(key=key, actor=None).state for verb in (disable_key, enable_key, revoke_key)]
    assert states == ["disabled", "active", "revoked"]
    assert heard == [("keys", [key.pk])] * 3
    assert audit_actions() == ["key.disabled", "key.enabled", "key.revoked"]
    key.refresh_from_db()
    assert key.revoked_at is not None


@pytest.mark.parametrize(
    ("verb", "states"),
    [(disable_key, ["disabled", "revoked"]), (enable_key, ["active", "revoked"]), (revoke_key, ["revoked"])],
)
def test_a_move_from_the_wrong_state_is_refused(verb, states, heard):
    for state in states:
        with pytest.raises(Refused, match="cannot be") as refused:
            verb(key=make_key(state=state)[0], actor=None)
        assert refused.value.code == "wrong_state"
    assert heard == []


def test_a_key_is_renamed_and_its_end_moved(heard):
    key, _ = make_key(name="ci")
    later = now() + HOUR
    changed = change_key(key=key, actor=None, name="build", expires_at=later)
    assert (changed.name, changed.expires_at) == ("build", later)
    change_key(key=key, actor=None, name="build")
    assert heard == [("keys", [key.pk])]
    with pytest.raises(Refused, match="past"):
        change_key(key=key, actor=None, expires_at=now() - HOUR)


def test_an_expired_key_may_still_be_renamed_but_a_revoked_one_not():
    expired, _ = make_key(expires_at=now() - HOUR)
    assert change_key(key=expired, actor=None, name="old").name == "old"
    with pytest.raises(Refused, match="make a new key"):
        change_key(key=make_key(state="revoked")[0], actor=None, name="old")


def test_a_new_key_inherits_and_the_old_one_ends_after_the_time_of_grace(heard):
    starts, ends = now() - HOUR, now() + 100 * HOUR
    old, old_text = make_key(name="ci", environment="test", not_before=starts, expires_at=ends)
    new, text = rotate_key(key=old, actor=None, grace=2 * HOUR)
    old.refresh_from_db()
    assert text != old_text
    assert (new.name, new.environment, new.not_before, new.expires_at, new.application) == (
        "ci",
        "test",
        starts,
        ends,
        old.application,
    )
    assert old.replaced_by == new
    assert old.state == "active"
    assert old.expires_at == ends
    assert abs(old.grace_until - (now() + 2 * HOUR)) < timedelta(minutes=1)
    assert heard == [("keys", [old.pk, new.pk])]
    assert audit_actions() == ["key.rotated"]


def test_grace_never_lengthens_the_old_keys_life():
    ends = now() + HOUR
    old, _ = make_key(expires_at=ends)
    new, _ = rotate_key(key=old, actor=None, grace=24 * HOUR)
    old.refresh_from_db()
    assert old.grace_until == ends
    assert new.expires_at == ends


def test_rotation_without_grace_ends_the_old_key_now():
    old, _ = make_key()
    new, _ = rotate_key(key=old, actor=None, grace=timedelta(0))
    assert list(living(ApiKey.objects.all())) == [new]


@pytest.mark.parametrize(
    "fields", [{"state": "revoked"}, {"state": "disabled"}, {"expires_at": now() - HOUR}]
)
def test_only_a_working_key_is_rotated(fields, heard):
    with pytest.raises(Refused) as refused:
        rotate_key(key=make_key(**fields)[0], actor=None)
    assert refused.value.code == "wrong_state"
    assert heard == []


def test_rotating_twice_is_refused_the_second_time(heard):
    old, _ = make_key()
    rotate_key(key=old, actor=None)
    with pytest.raises(Refused, match="rotate the new key"):
        rotate_key(key=old, actor=None)
    assert ApiKey.objects.count() == 2
    assert len(heard) == 1


@pytest.mark.parametrize("grace", [timedelta(seconds=-1), MAX_GRACE + timedelta(seconds=1)])
def test_a_senseless_grace_is_refused(grace):
    with pytest.raises(Refused) as refused:
        rotate_key(key=make_key()[0], actor=None, grace=grace)
    assert refused.value.field == "grace"
