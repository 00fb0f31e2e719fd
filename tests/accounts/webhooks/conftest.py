"""A receiver, and an endpoint that leads to it."""

import pytest

from accounts.webhooks.endpoints import create_endpoint
from tests.factories import make_organization, make_user
from tests.receiver import receiving


@pytest.fixture
def receiver():
    with receiving() as started:
        yield started


@pytest.fixture
def acme():
    return make_organization(make_user("alice"), name="Acme")


@pytest.fixture
def hook(acme, receiver):
    """(endpoint, its secret)"""
    return create_endpoint(organization=acme, url=receiver.url, actor=None)
