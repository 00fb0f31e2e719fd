"""The helpers of all verbs."""

from datetime import UTC, datetime

import pytest

from accounts.errors import Refused
from accounts.models import Organization
from accounts.rows import assign, check_fields, readable, taken_is_refused
from tests.factories import make_organization

pytestmark = pytest.mark.django_db


def test_what_differs_is_returned():
    acme = make_organization(name="Acme")
    assert assign(acme, {"name": "Acme", "timezone": "Asia/Tokyo"}, allowed=("name", "timezone")) == {
        "timezone": ["UTC", "Asia/Tokyo"]
    }


def test_a_field_that_may_not_change_is_a_mistake_of_the_programmer():
    with pytest.raises(TypeError, match="suspended_at"):
        assign(make_organization(), {"suspended_at": None}, allowed=("name",))


def test_a_refused_field_is_named():
    with pytest.raises(Refused, match="cannot be blank") as refused:
        check_fields(Organization(name="", slug="x"))
    assert refused.value.field == "name"


def test_moments_and_rows_are_readable_in_the_trail():
    acme = make_organization(name="Acme")
    assert readable(datetime(2026, 1, 2, tzinfo=UTC)) == "2026-01-02T00:00:00Z"
    assert [readable(acme), readable(None), readable(3)] == ["Acme", None, 3]


def test_a_clash_is_refused_and_the_transaction_goes_on():
    make_organization(slug="acme")
    with pytest.raises(Refused, match="No more") as refused, taken_is_refused("No more.", field="slug"):
        Organization.objects.create(name="Acme", slug="acme")
    assert (refused.value.code, refused.value.field) == ("taken", "slug")
    assert Organization.objects.count() == 1
