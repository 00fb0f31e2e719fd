"""A region is kept once it is part of somebody's bill."""

import pytest
from django.utils.timezone import now

from accounts.errors import Refused
from apis.versions import change_api
from billing.rate_cards import price_plan
from tests.billing.factories import card_with, each_at, subscribed, use
from tests.factories import make_api, make_organization, make_plan, make_stage, make_version

pytestmark = pytest.mark.django_db


@pytest.fixture
def api():
    return make_api(make_organization(), region="eu-west-1")


@pytest.fixture
def plan(api):
    """A plan that opens the API."""
    return make_plan(make_stage(make_version(api)))


def price(plan):
    price_plan(plan=plan, rate_card=card_with(plan.organization, price=each_at("1")), actor=None)


def kept(api):
    with pytest.raises(Refused, match="Make another API") as refused:
        change_api(api=api, region="us-east-1", actor=None)
    api.refresh_from_db()
    return refused.value.field, refused.value.code, api.region


def test_the_region_changes_until_a_priced_subscription_may_call_the_api(api, plan):
    subscribed(plan)
    change_api(api=api, region="us-west-1", actor=None)
    price(plan)
    assert kept(api) == ("region", "in_use", "us-west-1")
    change_api(api=api, region="us-west-1", name="Maps", actor=None)


def test_nobody_subscribed_is_no_reason_to_keep_it(api, plan):
    price(plan)
    change_api(api=api, region="us-east-1", actor=None)


def test_what_was_called_may_be_billed_still_though_no_plan_opens_it_now(api, plan):
    other = make_plan(make_stage(make_version(make_api(api.organization))))
    price(other)
    use(subscribed(other), now(), 3, api=api.pk)
    assert kept(api) == ("region", "in_use", "eu-west-1")
