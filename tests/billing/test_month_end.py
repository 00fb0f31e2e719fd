"""The month's end, by beat and by `manage.py close_period`."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from billing.models import Invoice
from billing.month_end import close_last_month
from billing.runs import work
from billing.tasks import close_period, close_provider_period
from tests.billing.factories import (
    NOVEMBER,
    OCTOBER,
    make_priced_plan,
    make_rate_card,
    november,
    october,
    subscribed,
    use,
)
from tests.factories import make_organization

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(monkeypatch):
    """Set the time that billing sees."""

    def set_to(moment):
        for module in ("billing.month_end", "billing.invoices", "billing.management.commands.close_period"):
            monkeypatch.setattr(f"{module}.now", lambda: moment)

    return set_to


def run(*arguments):
    out = StringIO()
    call_command("close_period", *arguments, stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture
def pro():
    return make_priced_plan(make_rate_card(make_organization(name="Acme", slug="acme")))


def test_beat_closes_the_last_month_of_every_provider_after_the_grace(pro, clock):
    other = make_priced_plan()
    for plan in (pro, other):
        use(subscribed(plan), october(5), 1_000_000)
    clock(OCTOBER.end + timedelta(minutes=59))
    close_period()
    assert Invoice.objects.count() == 0
    clock(OCTOBER.end + timedelta(minutes=60))
    close_period()
    close_period()
    assert set(Invoice.objects.values_list("organization", flat=True)) == {
        pro.organization_id,
        other.organization_id,
    }
    assert Invoice.objects.count() == 2


def test_beat_follows_the_providers_calendar(clock):
    plan = make_priced_plan(make_rate_card(make_organization(timezone="Pacific/Auckland")))
    use(subscribed(plan), october(5), 1)
    # 1 November in Auckland begins on 31 October, 11:00 UTC
    noon = datetime(2026, 10, 31, 12, tzinfo=UTC)
    assert close_last_month(provider=plan.organization, at=noon - timedelta(minutes=1)) is None
    run = close_last_month(provider=plan.organization, at=noon)
    assert (run.period.key, run.customers) == ("2026-10", 1)
    assert close_last_month(provider=plan.organization, at=noon) == run
    work(run=run)
    assert close_last_month(provider=plan.organization, at=noon + timedelta(hours=1)) is None


def test_a_provider_that_is_gone_is_no_error():
    close_provider_period("gone")
    assert Invoice.objects.count() == 0


def test_the_command_closes_the_last_month_and_says_what_it_made(pro, clock):
    use(subscribed(pro, make_organization(name="Bob's")), october(5), 1_000_000)
    use(subscribed(pro), november(2), 1_000_000)
    clock(november(3))
    assert run() == [
        "Acme: invoice 2026-000001 to Bob's, October 2026: 3.50 USD",
        "1 invoice made.",
    ]


def test_the_command_goes_on_with_the_running_month_when_the_last_one_is_billed(pro, clock):
    use(subscribed(pro, make_organization(name="Bob's")), november(2), 1_000_000)
    clock(november(3))
    assert run() == [
        "Acme: invoice 2026-000001 to Bob's, November 2026: 3.50 USD",
        "1 invoice made.",
    ]
    assert run() == ["Nothing to bill."]


def test_the_command_can_close_the_running_month_now(pro, clock):
    subscription = subscribed(pro)
    use(subscription, november(2), 1_000_000)
    clock(november(3))
    assert run("--now")[-1] == "1 invoice made."
    assert run("--now") == ["Nothing to bill."]
    use(subscription, november(4), 2_000_000)
    clock(NOVEMBER.end + timedelta(hours=2))
    close_period()
    assert list(Invoice.objects.order_by("number").values_list("total", "period_start", "period_end")) == [
        (3.5, NOVEMBER.start, november(3)),
        (7, november(3), NOVEMBER.end),
    ]


def test_the_command_can_name_a_month_and_a_provider(pro, clock):
    other = make_priced_plan()
    for plan in (pro, other):
        use(subscribed(plan), october(5), 1_000_000)
    clock(datetime(2027, 3, 1, tzinfo=UTC))
    assert run("--month", "2026-10", "--provider", "acme")[-1] == "1 invoice made."
    assert run("--month", "2026-10")[-1] == "1 invoice made."
    assert run("--month", "2026-09") == ["Nothing to bill."]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--month", "October"), "Write it as 2026-11"),
        (("--month", "2099-01"), "has not begun"),
        (("--provider", "nobody"), "No provider 'nobody'"),
        (("--month", "2026-10", "--now"), "not allowed with"),
    ],
)
def test_the_command_explains_what_is_wrong(arguments, words, pro):
    subscribed(pro, started_at=timezone.now())
    with pytest.raises(CommandError, match=words):
        run(*arguments)
