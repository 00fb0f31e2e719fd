"""Is this key valid? Every reason it may not be, and the model: valid if and only if all its parts are."""

from datetime import timedelta

import pytest
from django.utils.timezone import now
from hypothesis import given, settings, strategies as st

from access.models import ApplicationState, KeyState, PlanStage, SubscriptionState
from access.verdicts import KeyVerdict
from access.verify import verify_key
from accounts.secret_text import new_secret
from apis.models import VersionState
from tests.factories import (
    make_application,
    make_key,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def world():
    return World()


class World:
    """A key that is valid, and all it hangs on."""

    def __init__(self):
        self.stage = make_stage()
        self.version = self.stage.version
        self.provider = self.stage.organization
        self.subscription = make_subscription(plan=make_plan(self.stage))
        self.application = self.subscription.application
        self.developer = self.application.organization
        self.key, self.text = make_key(self.application)

    def change(self, what, **fields):
        row = getattr(self, what)
        type(row).objects.filter(pk=row.pk).update(**fields)
        self.stage.refresh_from_db()

    def verdict(self, **asked):
        asked = {"stage": self.stage, "viewer": None} | asked
        return verify_key(self.text, **asked)


def test_a_valid_key_comes_with_all_its_rows(world):
    verdict = world.verdict()
    assert (verdict.code, verdict.valid, verdict.message) == (KeyVerdict.VALID, True, "The key is valid.")
    assert (verdict.key, verdict.application) == (world.key, world.application)
    assert (verdict.subscription, verdict.plan) == (world.subscription, world.subscription.plan)


def test_it_costs_two_queries(world, django_assert_num_queries):
    with django_assert_num_queries(2):
        world.verdict()
    with django_assert_num_queries(3):
        world.verdict(viewer=world.provider)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", KeyVerdict.MISSING),
        ("secret", KeyVerdict.MALFORMED),
        ("gh_live_" + "0" * 39, KeyVerdict.MALFORMED),
    ],
)
def test_what_is_no_key_needs_no_look_up(text, code, django_assert_num_queries):
    stage = make_stage()
    with django_assert_num_queries(0):
        assert verify_key(text, stage=stage, viewer=None).code == code


def test_an_unknown_key_is_not_found(world):
    verdict = verify_key(new_secret("gh_live"), stage=world.stage, viewer=None)
    assert (verdict.code, verdict.key) == (KeyVerdict.NOT_FOUND, None)


@pytest.mark.parametrize(
    ("what", "fields", "code"),
    [
        ("key", {"state": KeyState.REVOKED}, KeyVerdict.REVOKED),
        ("key", {"state": KeyState.DISABLED}, KeyVerdict.DISABLED),
        ("application", {"state": ApplicationState.SUSPENDED}, KeyVerdict.APPLICATION_SUSPENDED),
        ("developer", {"suspended_at": now()}, KeyVerdict.ACCOUNT_SUSPENDED),
        ("provider", {"suspended_at": now()}, KeyVerdict.ACCOUNT_SUSPENDED),
        ("key", {"not_before": now() + HOUR}, KeyVerdict.NOT_YET_VALID),
        ("key", {"expires_at": now() - HOUR}, KeyVerdict.EXPIRED),
        ("key", {"grace_until": now() - HOUR}, KeyVerdict.ROTATED_OUT),
        ("subscription", {"state": SubscriptionState.PENDING}, KeyVerdict.SUBSCRIPTION_PENDING),
        ("subscription", {"state": SubscriptionState.SUSPENDED}, KeyVerdict.NOT_SUBSCRIBED),
        ("subscription", {"state": SubscriptionState.CANCELLED}, KeyVerdict.NOT_SUBSCRIBED),
        ("version", {"state": VersionState.RETIRED}, KeyVerdict.API_RETIRED),
    ],
)
def test_every_part_can_refuse(world, what, fields, code):
    world.change(what, **fields)
    verdict = world.verdict()
    assert (verdict.code, verdict.valid, verdict.key) == (code, False, world.key)
    assert verdict.message


def test_a_plan_that_does_not_open_the_stage_is_no_subscription(world):
    PlanStage.objects.all().delete()
    verdict = world.verdict()
    assert (verdict.code, verdict.plan) == (KeyVerdict.NOT_SUBSCRIBED, None)


def test_an_active_subscription_counts_beside_a_cancelled_one(world):
    world.change("subscription", state=SubscriptionState.CANCELLED)
    again = make_subscription(world.application, world.subscription.plan)
    assert world.verdict().subscription == again


@pytest.mark.parametrize("deadline", ["expires_at", "grace_until"])
def test_at_its_very_deadline_the_key_has_ended(world, deadline):
    moment = now()
    world.change("key", **{deadline: moment})
    assert world.verdict(at=moment - timedelta(microseconds=1)).valid
    assert not world.verdict(at=moment).valid


def test_at_its_very_start_the_key_is_valid(world):
    moment = now()
    world.change("key", not_before=moment)
    assert world.verdict(at=moment).valid
    assert world.verdict(at=moment - timedelta(microseconds=1)).code == KeyVerdict.NOT_YET_VALID


def test_state_is_judged_before_expiry_and_expiry_before_scope(world):
    world.change("subscription", state=SubscriptionState.SUSPENDED)
    world.change("key", expires_at=now() - HOUR)
    assert world.verdict().code == KeyVerdict.EXPIRED
    world.change("key", state=KeyState.REVOKED)
    assert world.verdict().code == KeyVerdict.REVOKED


def test_without_a_stage_only_the_key_is_judged(world):
    world.change("subscription", state=SubscriptionState.CANCELLED)
    assert world.verdict(stage=None).valid


@pytest.mark.parametrize("viewer", ["developer", "provider"])
def test_the_developer_and_her_provider_see_the_key(world, viewer):
    world.change("key", state=KeyState.REVOKED)
    assert world.verdict(viewer=getattr(world, viewer)).code == KeyVerdict.REVOKED


def test_for_everybody_else_the_key_does_not_exist(world):
    world.change("key", state=KeyState.REVOKED)
    stranger = make_stage()
    verdict = world.verdict(stage=stranger.version.stages.get(), viewer=stranger.organization)
    assert (verdict.code, verdict.key, verdict.application) == (KeyVerdict.NOT_FOUND, None, None)
    assert world.verdict(viewer=make_organization()).code == KeyVerdict.NOT_FOUND


def test_codes_carry_status_and_message():
    assert KeyVerdict.API_RETIRED.status == 410
    assert KeyVerdict.NOT_FOUND.code == "NOT_FOUND"
    assert len({verdict.message for verdict in KeyVerdict}) == len(KeyVerdict)


MOMENTS = st.sampled_from([None, -2 * HOUR, -HOUR, timedelta(0), HOUR])


@settings(max_examples=150, deadline=None)
@given(
    key=st.sampled_from(KeyState),
    application=st.sampled_from(ApplicationState),
    subscription=st.sampled_from(SubscriptionState),
    version=st.sampled_from(VersionState),
    suspended=st.sampled_from([None, "developer", "provider"]),
    opens=st.booleans(),
    not_before=MOMENTS,
    expires=MOMENTS,
    grace=MOMENTS,
)
def test_a_key_is_valid_if_and_only_if_all_its_parts_are(
    *, key, application, subscription, version, suspended, opens, not_before, expires, grace
):
    world, at = _shared_world(), now()
    moments = {"not_before": not_before, "expires_at": expires, "grace_until": grace}
    deadlines = {name: None if delta is None else at + delta for name, delta in moments.items()}
    world.change("key", state=key, **deadlines)
    world.change("application", state=application)
    world.change("subscription", state=subscription)
    world.change("version", state=version)
    world.change("developer", suspended_at=at if suspended == "developer" else None)
    world.change("provider", suspended_at=at if suspended == "provider" else None)
    PlanStage.objects.all().delete()
    if opens:
        PlanStage.objects.create(organization=world.provider, plan=world.subscription.plan, stage=world.stage)
    expected = (
        key == KeyState.ACTIVE
        and (not_before is None or not_before <= timedelta(0))
        and (expires is None or expires > timedelta(0))
        and (grace is None or grace > timedelta(0))
        and application == ApplicationState.ACTIVE
        and suspended is None
        and subscription == SubscriptionState.ACTIVE
        and opens
        and version != VersionState.RETIRED
    )
    verdict = world.verdict(at=at)
    assert verdict.valid == expected, verdict.code


_worlds = []


def _shared_world():
    """One world for all examples of the model test, made again when the test's transaction is new."""
    if not _worlds or not type(_worlds[0].key).objects.filter(pk=_worlds[0].key.pk).exists():
        _worlds[:] = [World()]
    return _worlds[0]


def test_an_application_without_any_subscription_is_not_subscribed():
    _, text = make_key(make_application())
    assert verify_key(text, stage=make_stage(), viewer=None).code == KeyVerdict.NOT_SUBSCRIBED
