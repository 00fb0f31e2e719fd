"""Dashboards: scopes and who sees them, spans, comparison, money, and their tables as CSV."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from portal.usage_span import read_span
from portal.usage_targets import KINDS
from tests.factories import make_api, make_organization, make_user
from tests.metering.factories import make_row, use
from tests.portal.factories import Shop, make_shop, people_of, signed_in
from tests.rest.factories import make_invoice

pytestmark = pytest.mark.django_db


def now_minute() -> datetime:
    return datetime.now(UTC).replace(second=0, microsecond=0)


@pytest.fixture
def shop() -> Shop:
    """With 100 calls ten minutes ago, of which 7 were throttled and 3 failed; 40 calls a good day before."""
    found = make_shop()
    stage = found.plan.stages.get()
    operation = stage.version.operations.get().pk
    mine = {"subscription": found.subscription.pk, "key": found.key.pk, "operation": operation}
    minute = now_minute() - timedelta(minutes=10)
    use(
        make_row(stage, minute=minute, calls=90, cache_hits=30, cache_misses=10, **mine),
        make_row(stage, minute=minute, calls=7, status_class=4, verdict="THROTTLED", **mine),
        make_row(stage, minute=minute, calls=3, status_class=5, **mine),
        make_row(stage, minute=minute - timedelta(hours=26), calls=40, **mine),
    )
    return found


def parts(shop: Shop) -> dict[str, str]:
    stage = shop.plan.stages.get()
    return {
        "api": shop.api.pk,
        "stage": stage.pk,
        "operation": stage.version.operations.get().pk,
        "developer": shop.organization.pk,
        "key": shop.key.pk,
    }


def place(shop: Shop, kind: str) -> str:
    return reverse("dashboard", args=[kind, parts(shop)[kind]])


def rows(answer) -> list[list[str]]:
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


@pytest.mark.parametrize("kind", KINDS)
def test_each_part_has_a_dashboard_of_at_most_twenty_queries(shop: Shop, kind: str) -> None:
    browser, address = signed_in(shop.alice), place(shop, kind)
    browser.get(address)
    with CaptureQueriesContext(connection) as queries:
        text = browser.get(address, {"compare": 1}).content.decode()
    assert len(queries) <= 20, [q["sql"][:150] for q in queries]
    for expected in (
        "93 counted",
        "THROTTLED",
        "The backend answered 5xx",
        "+150 % on the span before",
        "30 of 40",
    ):
        assert expected in text


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_is_its_providers_own(shop: Shop, kind: str) -> None:
    people = people_of(shop)
    found = {who: signed_in(people[who]).get(place(shop, kind)).status_code for who in people}
    assert found == {
        "anonymous": 302, "owner": 200, "admin": 200, "member": 200, "billing": 200, "foreign": 404, "staff": 200,
    }  # fmt: skip
    assert signed_in(shop.alice).get(reverse("dashboard", args=[kind, "nothing"])).status_code == 404


@pytest.mark.parametrize("kind", ["developer", "key"])
def test_a_provider_sees_no_customer_of_another(shop: Shop, kind: str) -> None:
    other = make_shop_of_charlie()
    address = reverse("dashboard", args=[kind, parts(shop)[kind]])
    assert other.get(address).status_code == 404
    assert other.get(address, {"organization": shop.organization.pk}).status_code == 404


def make_shop_of_charlie():
    charlie = make_user("charlie")
    make_api(make_organization(charlie, name="Elsewhere"))
    return signed_in(charlie)


def test_only_staff_sees_the_installation(shop: Shop) -> None:
    people = people_of(shop)
    assert signed_in(shop.alice).get(reverse("installation")).status_code == 404
    browser = signed_in(people["staff"])
    browser.get(reverse("installation"))
    with CaptureQueriesContext(connection) as queries:
        text = browser.get(reverse("installation"), {"compare": 1, "span": "1y"}).content.decode()
    assert len(queries) <= 20
    assert "140" in text
    assert "93 counted" not in text


def test_a_span_of_ones_own_is_shown_with_links_around_it(shop: Shop) -> None:
    start = now_minute() - timedelta(minutes=20)
    given = {"from": f"{start:%Y-%m-%dT%H:%M}", "to": f"{start + timedelta(minutes=15):%Y-%m-%dT%H:%M}"}
    text = signed_in(shop.alice).get(place(shop, "api"), given).content.decode()
    assert "93 counted" in text
    assert "data-refresh" not in text
    assert f"to={start:%Y-%m-%dT%H}%3A{start:%M}" in text


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"from": "yesterday"}, "Write moments"),
        ({"from": "2026-11-02T00:00", "to": "2026-11-01T00:00"}, "before its end"),
        ({"from": "2020-01-01T00:00", "to": "2026-01-01T00:00"}, "at most 800 days"),
        ({"from": "0001-01-01T00:00"}, "Write moments"),
    ],
)
def test_a_span_that_makes_no_sense_is_told(given: dict[str, str], problem: str) -> None:
    found = read_span(given, "UTC")
    assert problem in found.problem
    assert found.name == "24h"


def test_spans_begin_at_whole_steps_and_compare_with_as_much_before() -> None:
    found = read_span({"from": "2026-11-01T10:30", "to": "2026-11-03T09:10"}, "UTC")
    assert (found.step, found.start_text, found.end_text) == ("hour", "2026-11-01T10:00", "2026-11-03T10:00")
    assert found.before.end == found.span.start
    assert found.earlier == {"from": "2026-10-30T10:00", "to": "2026-11-01T10:00"}
    year = read_span({"span": "1y"}, "UTC")
    assert (year.step, year.live, year.later) == ("day", True, {})
    assert year.span.end - year.before.end == year.length


@pytest.mark.parametrize("table", ["calls", "latency", "data", "cache", "by", "developers", "errors"])
def test_each_table_downloads_as_csv(shop: Shop, table: str) -> None:
    header, *found = rows(signed_in(shop.alice).get(place(shop, "api"), {"csv": table}))
    assert found
    if table == "calls":
        assert header == ["start", "Successful", "4xx", "5xx"]
        assert [sum(int(row[column]) for row in found) for column in (1, 2, 3)] == [90, 7, 3]
    if table == "errors":
        assert found == [["THROTTLED", "7"], ["The backend answered 5xx", "3"]]
    if table == "developers":
        assert found[0][1:3] == ["Shop", "100"]


def test_a_table_that_is_not_there_is_not_found(shop: Shop) -> None:
    browser = signed_in(shop.alice)
    assert browser.get(place(shop, "api"), {"csv": "money"}).status_code == 404
    assert browser.get(place(shop, "api"), {"csv": "nonsense"}).status_code == 404


def test_money_shows_to_those_who_see_bills(shop: Shop) -> None:
    month = now_minute().replace(day=1, hour=0, minute=0)
    kiosk, other = make_organization(), make_organization()
    for customer, total, state in (
        (shop.organization, 10, "finalized"),
        (kiosk, 5, "paid"),
        (other, 99, "void"),
    ):
        make_invoice(shop.organization, customer, month_start=month, total=total, state=state)
    people = people_of(shop)
    _, *found = rows(signed_in(people["billing"]).get(reverse("provider"), {"csv": "money"}))
    assert found == [[f"{month:%Y-%m}", "USD", "2", "15"]]
    assert signed_in(people["member"]).get(reverse("provider"), {"csv": "money"}).status_code == 404
    for address in (reverse("provider"), place(shop, "developer")):
        met = {who: signed_in(people[who]).get(address, {"fragment": "money"}) for who in ("owner", "member")}
        assert {who: each.status_code for who, each in met.items()} == {"owner": 200, "member": 404}
        assert f"{month:%Y-%m}" in met["owner"].content.decode()
    assert signed_in(people["staff"]).get(reverse("installation"), {"fragment": "money"}).status_code == 200


def test_a_developer_looks_at_one_key_of_hers(shop: Shop) -> None:
    mine = reverse("usage-key", args=[shop.key.pk])
    assert "93 counted" in signed_in(shop.alice).get(mine).content.decode()
    assert signed_in(people_of(shop)["foreign"]).get(mine).status_code == 404


def test_alerts_are_made_changed_and_deleted_on_pages(shop: Shop) -> None:
    browser = signed_in(shop.alice)
    given = {"name": "Slow", "metric": "p99", "below": "", "threshold": "300", "minutes": "5", "mails": "on"}
    about = f"key:{shop.key.pk}"
    made = browser.post(f"{reverse('alert-new')}?about={about}", given | {"about": about})
    alert = shop.organization.usage_alerts.get(name="Slow")
    assert (made.status_code, alert.scope, alert.about, alert.below) == (302, "key", shop.key.pk, False)
    taken = browser.post(reverse("alert-new"), given)
    assert "There is an alert named Slow already." in taken.content.decode()
    browser.post(reverse("alert", args=[alert.pk]), given | {"below": "1", "threshold": "7"})
    alert.refresh_from_db()
    assert (alert.below, alert.threshold, alert.scope) == (True, 7, "key")
    assert "Latency p99, ms below 7 for 5 min" in browser.get(reverse("alerts")).content.decode()
    browser.post(reverse("alert-delete", args=[alert.pk]))
    assert not shop.organization.usage_alerts.filter(name="Slow").exists()
