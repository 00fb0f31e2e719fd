"""Who pays for whom, month by month."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.billing_group import join_billing, leave_billing
from accounts.models import BillingMembership
from billing.payers import load_payers
from tests.factories import make_organization

pytestmark = pytest.mark.django_db


def test_who_paid_when() -> None:
    child, parent, alone, next_parent = (make_organization() for _ in range(4))
    join_billing(child=child, parent=parent, actor=None)
    child.refresh_from_db()
    leave_billing(child=child, actor=None)
    join_billing(child=child, parent=next_parent, actor=None)
    moved = datetime(2026, 10, 15, tzinfo=UTC)
    BillingMembership.objects.filter(parent=parent).update(
        joined_at=moved - timedelta(days=20), left_at=moved
    )
    BillingMembership.objects.filter(parent=next_parent).update(joined_at=moved)
    payers = load_payers([child.pk, parent.pk, alone.pk])
    itself = {pk: pk for pk in (child.pk, parent.pk, alone.pk)}
    assert payers.of(datetime(2026, 9, 1, tzinfo=UTC)) == itself
    assert payers.of(datetime(2026, 10, 1, tzinfo=UTC)) == itself | {child.pk: parent.pk}
    assert payers.of(datetime(2026, 11, 1, tzinfo=UTC)) == itself | {child.pk: next_parent.pk}


def test_a_payer_finds_those_that_it_pays_for() -> None:
    child, parent = make_organization(), make_organization()
    join_billing(child=child, parent=parent, actor=None)
    later = datetime.now(UTC) + timedelta(seconds=1)
    assert load_payers([parent.pk]).of(later) == {parent.pk: parent.pk, child.pk: parent.pk}
