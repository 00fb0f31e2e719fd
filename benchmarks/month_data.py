"""A provider with many customers and a month of usage, made by PostgreSQL itself in seconds."""

from datetime import UTC, datetime
from typing import Any

OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
# what each subscription used: so many operations, on so many days
OPERATIONS, DAYS = 3, 4
TIERS = [
    {"up_to": "1000", "unit_price": "0.0035"},
    {"up_to": "5000", "unit_price": "0.0028"},
    {"up_to": None, "unit_price": "0.00238"},
]
DATA = [{"up_to": "10240", "unit_price": "0.09"}, {"up_to": None, "unit_price": "0.085"}]


def make_provider(customers: int, subscriptions: int) -> Any:
    """Make a provider, and customers with so many subscriptions each; returns the provider.

    Its card is graduated over two meters, with a base fee. Each subscription made about 6,000 calls.
    """
    from django.db import connection  # noqa: PLC0415 -- Django is set up later

    from access.models import Application, Subscription  # noqa: PLC0415
    from accounts.models import Organization  # noqa: PLC0415
    from metering.models import UsageDay  # noqa: PLC0415
    from tests.billing.factories import card_with, make_priced_plan, subscribed, use  # noqa: PLC0415

    card = card_with(base_fee="10", price={"tiers": TIERS})
    _price_data(card)
    first = subscribed(make_priced_plan(card))
    use(first, OCTOBER, 500, 10**9)
    record = UsageDay.objects.get()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        numbers = f"generate_series(1, {customers}) AS n"
        each = f"{numbers}, generate_series(1, {subscriptions}) AS m"
        customer, application, own = _id("c", "n"), _id("a", "n", "m"), _id("s", "n", "m")
        _copy(cursor, first.organization, numbers, {
            "id": customer, "slug": f"'bench-' || {customer}", "name": "'Customer ' || n",
        })  # fmt: skip
        _copy(cursor, first.application, each, {
            "id": application, "organization_id": customer, "name": "'Application ' || m",
        })  # fmt: skip
        _copy(cursor, first, each, {
            "id": own, "organization_id": customer, "application_id": application,
        })  # fmt: skip
        used = f"{each}, generate_series(1, {OPERATIONS}) AS o, generate_series(1, {DAYS}) AS d"
        _copy(cursor, record, used, {
            "at": "t.at + d * interval '1 day'", "developer_id": customer, "application_id": application,
            "subscription_id": own, "operation_id": "'op' || o", "calls": "400 + mod(n * 7 + o * 31 + d, 200)",
            "bytes_out": "1000000000 + n",
        })  # fmt: skip
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE")
    Subscription.objects.filter(pk=first.pk).update(ended_at=first.started_at)
    assert Organization.objects.filter(slug__startswith="bench-").count() == customers
    assert Application.objects.count() == customers * subscriptions + 1
    return card.organization


def _price_data(card: Any) -> None:
    from billing.rate_cards import set_price  # noqa: PLC0415

    set_price(rate_card=card, meter="bytes_out", tiers=DATA, free_units="1", actor=None)


def _id(letter: str, *numbers: str) -> str:
    """SQL for an id of ten characters."""
    if len(numbers) == 1:
        return f"'{letter}' || lpad(n::text, 9, '0')"
    return f"'{letter}' || lpad(n::text, 6, '0') || lpad(m::text, 3, '0')"


def _copy(cursor: Any, row: Any, series: str, changed: dict[str, str]) -> None:
    """Copy a row once for each member of the series, with some columns changed."""
    table = row._meta.db_table
    columns = [field.column for field in row._meta.concrete_fields if field.column]
    values = [changed.get(name, f"t.{name}") for name in columns]
    key = "subscription_id" if row._meta.db_table == "metering_usageday" else "id"
    found = row.subscription_id if key == "subscription_id" else row.pk
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} "  # noqa: S608
        f"FROM {table} AS t, {series} WHERE t.{key} = %s",
        [found],
    )
