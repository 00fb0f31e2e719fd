"""The stage's page of the admin console shows its canary and its cache."""

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse

from tests.factories import make_stage, make_user
from tests.metering.factories import make_row, use

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client):
    client.force_login(make_user(is_staff=True, is_superuser=True))
    return client


def page(client, stage):
    return client.get(reverse("admin:apis_stage_change", args=[stage.pk])).content.decode()


def test_canary_stands_beside_base_with_errors_and_the_cache_rate(staff):
    stage = make_stage()
    minute = (datetime.now(UTC) - timedelta(minutes=5)).replace(second=0, microsecond=0)
    use(
        make_row(stage, minute=minute, calls=900, cache_hits=300, cache_misses=100),
        make_row(stage, minute=minute, calls=70, canary=True),
        make_row(stage, minute=minute, calls=30, canary=True, status_class=5, verdict="INTEGRATION_FAILURE"),
    )
    text = page(staff, stage)
    for expected in ("Base", "Canary", ">900<", ">100<", ">30<", "300 of 400"):
        assert expected in text


def test_a_stage_without_calls_says_so(staff):
    assert "No calls. They show here" in page(staff, make_stage())
