"""A provider, her customer with an invoice of 25.00 USD, and ways to pay."""

from collections.abc import Iterator

import pytest

from tests.billing.ledger.factories import make_bill
from tests.billing.payments import stripe_stand_in
from tests.billing.payments.stripe_stand_in import KEY, SECRET, StandIn
from tests.factories import make_organization


@pytest.fixture
def provider(db):
    return make_organization(name="Provider")


@pytest.fixture
def customer(db):
    return make_organization(name="Customer", billing_email="bills@example.com")


@pytest.fixture
def bill(provider, customer):
    return make_bill(provider, customer, "25.00")


@pytest.fixture(scope="session")
def served() -> Iterator[StandIn]:
    with stripe_stand_in.running() as found:
        yield found


@pytest.fixture
def stripe(served, settings) -> StandIn:
    settings.PAYMENT_PROCESSOR = "stripe"
    settings.STRIPE_SECRET_KEY = KEY
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_the_next_one", SECRET]
    settings.STRIPE_API_BASE = served.base
    served.requests.clear()
    served.declines = served.silent = False
    served.refunds = "succeeded"
    return served
