"""A month that is closed in parts, corrected or billed late: each unit once, whatever the order."""

from datetime import timedelta
from decimal import Decimal

import pytest

from billing.invoices import void
from tests.billing.factories import (
    GIB,
    NOVEMBER,
    OCTOBER,
    amounts,
    close,
    close_one,
    make_priced_plan,
    make_rate_card,
    november,
    october,
    subscribed,
    use,
)

pytestmark = pytest.mark.django_db
D = Decimal


def test_a_month_closed_early_is_completed_later_without_billing_twice(pro):
    subscription = subscribed(pro)
    use(subscription, october(3), 333_000_000, 90 * GIB)
    early = close_one(pro.organization, at=october(10))
    assert (early.period_start, early.period_end) == (OCTOBER.start, october(10))
    assert amounts(early) == [D(10), D("1165.5"), D(0)]
    # a late count of the first days, and the rest of the month
    use(subscription, october(4), 1_000_000, 15 * GIB)
    use(subscription, october(20), 1_000_000, 15 * GIB)
    rest = close_one(pro.organization)
    assert (rest.period_start, rest.period_end, rest.part) == (october(10), OCTOBER.end, 2)
    lines = rest.lines.values_list("meter", "tier", "quantity", "amount")
    assert list(lines) == [
        ("requests", 2, D(2_000_000), D("5.6")),
        ("bytes_out", 0, D(10), D(0)),
        ("bytes_out", 1, D(20), D("1.8")),
    ]
    assert close(pro.organization) == []


def test_many_small_invoices_of_a_month_add_up_to_one(pro):
    split, whole = subscribed(pro), subscribed(make_priced_plan(make_rate_card(base_fee="10")))
    sums = D(0)
    for day in range(1, 12):
        for subscription in (split, whole):
            use(subscription, october(day), 1_234, 17 * GIB + day)
        sums += sum(invoice.total for invoice in close(pro.organization, at=october(day, hour=20)))
    assert sums == close_one(whole.provider).total


def test_late_counts_wait_for_the_next_invoice_and_have_lines_of_their_own(pro):
    subscription = subscribed(pro)
    use(subscription, october(5), 1_000_000)
    close_one(pro.organization)
    use(subscription, october(31), 2_000_000)
    assert close(pro.organization, corrections=False) == []
    use(subscription, november(3), 4_000_000)
    invoice = close_one(
        pro.organization, period=NOVEMBER, at=NOVEMBER.end + timedelta(hours=2), corrections=False
    )
    lines = invoice.lines.values_list("month_start", "quantity", "amount")
    assert list(lines) == [
        (NOVEMBER.start, D(1), D(10)),
        (NOVEMBER.start, D(4_000_000), D(14)),
        (OCTOBER.start, D(2_000_000), D(7)),
    ]
    assert invoice.lines.last().description.endswith("(late counts of October 2026)")


def test_late_counts_can_be_billed_at_once_by_the_difference(pro):
    subscription = subscribed(pro)
    use(subscription, october(5), 1_000_000)
    close_one(pro.organization)
    use(subscription, october(31), 2_000_000)
    correction = close_one(pro.organization)
    assert amounts(correction) == [D(7)]
    assert (correction.period_start, correction.part) == (OCTOBER.start, 2)


def test_a_month_that_was_voided_is_not_billed_behind_ones_back(pro):
    subscription = subscribed(pro)
    use(subscription, october(5), 1_000_000)
    void(invoice=close_one(pro.organization), actor=None)
    use(subscription, november(5), 1_000_000)
    invoice = close_one(pro.organization, period=NOVEMBER, at=NOVEMBER.end, corrections=False)
    assert amounts(invoice) == [D(10), D("3.5")]
