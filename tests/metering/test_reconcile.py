from datetime import UTC, datetime, timedelta

import pytest

from metering import intake
from metering.models import UsageBatch, UsageGap, UsageReconciliation
from metering.reconcile import forget_batches, reconcile
from metering.rollup import process_pending
from tests.factories import make_stage, make_user
from tests.metering.factories import NOON, make_batch, make_row

pytestmark = pytest.mark.django_db


def send(sequence: int, *rows, node: str = "nodea00001", at: datetime = NOON) -> None:
    assert intake.accept_batch(node_id=node, batch=make_batch(*rows, sequence=sequence), at=at)


def test_an_account_comes_out_even(mailoutbox) -> None:
    make_user(is_staff=True)
    stage = make_stage()
    send(1, make_row(stage, calls=5), make_row("nostage001", calls=2))
    send(2, make_row(stage, calls=4), at=NOON + timedelta(days=1))
    process_pending()
    send(3, make_row(stage, calls=7), at=NOON + timedelta(days=1))
    report = reconcile(at=NOON + timedelta(days=1))
    assert (report.gaps, report.uneven, mailoutbox) == ([], [], [])
    names = ("first_sequence", "last_sequence", "calls", "aggregated", "rejected", "waiting")
    found = UsageReconciliation.objects.order_by("day").values_list(*names)
    assert list(found) == [(1, 1, 7, 5, 2, 0), (2, 3, 11, 4, 0, 7)]
    process_pending()
    reconcile(at=NOON + timedelta(days=1))
    assert UsageReconciliation.objects.get(last_sequence=3).waiting == 0


def test_calls_that_are_in_no_account_are_told(mailoutbox) -> None:
    staff = make_user(is_staff=True)
    make_user()
    send(1, make_row(make_stage(), calls=5))
    process_pending()
    UsageBatch.objects.update(aggregated=3)
    report = reconcile(at=NOON)
    assert [account.difference for account in report.uneven] == [2]
    assert [mail.bcc for mail in mailoutbox] == [[staff.email]]
    assert "5 calls came in, 3 were counted, 0 rejected and 0 wait: 2 are missing" in mailoutbox[0].body


def test_a_gap_is_told_once_and_its_end_is_noted(mailoutbox) -> None:
    make_user(is_staff=True)
    for sequence in (1, 2, 5):
        send(sequence)
    send(2, node="nodeb00001")
    reconcile(at=NOON)
    open_gaps = UsageGap.objects.filter(closed_at__isnull=True)
    assert sorted(map(str, open_gaps)) == ["nodea00001/spool-a 3-4", "nodeb00001/spool-a 1-1"]
    assert reconcile(at=NOON).gaps == []
    assert len(mailoutbox) == 1
    assert "batches 3 to 4 of its spool spool-a never came" in mailoutbox[0].body
    send(3)
    report = reconcile(at=NOON + timedelta(hours=1))
    assert [str(gap) for gap in report.closed] == ["nodea00001/spool-a 3-4"]
    assert [str(gap) for gap in report.gaps] == ["nodea00001/spool-a 4-4"]
    send(4)
    reconcile(at=NOON + timedelta(hours=2))
    assert [str(gap) for gap in open_gaps.all()] == ["nodeb00001/spool-a 1-1"]
    assert UsageGap.objects.get(first_sequence=4).closed_at == NOON + timedelta(hours=2)


def test_old_batches_are_forgotten_and_their_account_stays(settings) -> None:
    settings.USAGE_KEEP_BATCHES_DAYS = 45
    stage = make_stage()
    send(1, make_row(stage, calls=5))
    send(2, make_row(stage, calls=6))
    process_pending()
    later = NOON + timedelta(days=46)
    send(3, make_row(stage, calls=7, minute=later), at=later)
    assert forget_batches(at=later) == 2
    assert forget_batches(at=later) == 0
    account = UsageReconciliation.objects.get(day=NOON.date())
    assert (account.batches, account.calls, account.aggregated) == (2, 11, 11)
    # what was forgotten is no gap, what is missing behind it is one
    assert reconcile(at=later).gaps == []
    send(5, at=later)
    assert [str(gap) for gap in reconcile(at=later).gaps] == ["nodea00001/spool-a 4-4"]


def test_batches_that_wait_are_never_forgotten(settings) -> None:
    settings.USAGE_KEEP_BATCHES_DAYS = 45
    send(1, make_row(make_stage(), calls=5))
    assert forget_batches(at=NOON + timedelta(days=400)) == 0


def test_a_forgotten_batch_that_comes_again_counts_nothing(settings) -> None:
    settings.USAGE_KEEP_BATCHES_DAYS = 37
    batch = make_batch(make_row(make_stage(), calls=5, minute=NOON + timedelta(minutes=59)))
    intake.accept_batch(node_id="nodea00001", batch=batch, at=NOON)
    process_pending()
    again = datetime(2026, 12, 26, tzinfo=UTC)
    assert forget_batches(at=again) == 1
    assert intake.accept_batch(node_id="nodea00001", batch=batch, at=again)
    process_pending()
    kept = UsageBatch.objects.get()
    assert (kept.aggregated, [each["reason"] for each in kept.rejected]) == (
        0,
        ["its minute is more than 35 days past; such late counts are not taken"],
    )
