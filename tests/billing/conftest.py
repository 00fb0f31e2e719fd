"""What many tests of bills begin with."""

import pytest

from access.models import UsagePlan
from tests.billing.factories import make_priced_plan, make_rate_card


@pytest.fixture
def pro() -> UsagePlan:
    """A plan at 10 a month and the factory's price for requests."""
    return make_priced_plan(make_rate_card(base_fee="10"), name="Pro")
