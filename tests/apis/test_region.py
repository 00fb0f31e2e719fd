"""The region of an API: within it, price tiers add usage up."""

import pytest

from accounts.errors import Refused
from apis.versions import change_api, create_api
from tests.factories import audit_actions, make_api, make_organization

pytestmark = pytest.mark.django_db


def test_an_api_has_no_region_unless_it_is_given_one() -> None:
    assert create_api(organization=make_organization(), name="Maps", actor=None).region == ""


def test_a_region_is_changed_and_audited() -> None:
    api = make_api()
    change_api(api=api, region="eu-west-1", actor=None)
    api.refresh_from_db()
    assert (api.region, audit_actions()) == ("eu-west-1", ["api.changed"])


@pytest.mark.parametrize("region", ["EU", "eu_west", "-eu", "eu-", "eu--west", "eu west"])
def test_what_is_no_region_is_refused(region: str) -> None:
    with pytest.raises(Refused) as refused:
        change_api(api=make_api(), region=region, actor=None)
    assert refused.value.field == "region"
