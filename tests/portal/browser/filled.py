"""The cast's shop, filled: traffic of a day with failures, more than one of everything, names as long as real ones."""

from datetime import UTC, datetime, timedelta

from access.models import QuotaPeriod
from accounts.audit import record
from apis.pages import create_page
from billing.models import Budget
from tests.factories import (
    make_application,
    make_key,
    make_mapping,
    make_stage,
    make_subscription,
    make_token,
    make_version,
)
from tests.metering.factories import make_row, use
from tests.portal.factories import Shop, make_open_plan, make_shop

LONG = "Identity verification and fraud screening for regulated industries"
TEXT = """
## First steps

Ask with a key; [the reference](https://example.com/) has all of it.

| field | what |
| --- | --- |
| `id` | one of ours |

```
curl https://example.com/orders
```
"""
# status class, verdict, share of the calls
ANSWERS = (
    (2, "", 1.0),
    (4, "", 0.06),
    (4, "THROTTLED", 0.03),
    (5, "", 0.01),
    (5, "INTEGRATION_TIMEOUT", 0.01),
)


def make_filled_shop() -> Shop:
    """A shop whose pages have something to show."""
    shop = make_shop()
    shop.api.name, shop.api.summary, shop.api.description = LONG, "Everything about orders.", TEXT
    shop.api.save()
    shop.plan.quota_limit, shop.plan.quota_period = 100_000, QuotaPeriod.MONTH
    shop.plan.throttle_rate, shop.plan.throttle_burst = 100, 200
    shop.plan.save()
    create_page(api=shop.api, title="Webhooks and how to verify them", text=TEXT, published=True, actor=None)
    for number in range(3):
        _add_application(shop, number)
    _use(shop)
    return shop


def _add_application(shop: Shop, number: int) -> None:
    application = make_application(shop.organization, name=f"{LONG} {number}", description=TEXT[:80])
    make_subscription(application, make_open_plan(name=f"Plan for everybody {number}", quota_limit=1_000))
    make_key(application, state=("active", "disabled", "revoked")[number])
    make_mapping(make_stage(make_version(shop.api, name=f"v-more-{number}")))
    make_token(shop.organization, name=f"Deployment pipeline {number}")
    Budget.objects.create(
        organization=shop.organization,
        name=f"{LONG} {number}",
        currency="USD",
        amount=9,
        application=application,
        stops=True,
    )
    record(
        organization=shop.organization,
        actor=shop.alice,
        action="application.created",
        target=application,
        summary=f"Made the application {application}.",
    )


def _use(shop: Shop) -> None:
    """Calls in every hour of the last day."""
    stage = shop.plan.stages.get()
    mine = {
        "subscription": shop.subscription.pk,
        "key": shop.key.pk,
        "operation": stage.version.operations.get().pk,
    }
    newest = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=10)
    use(
        *(
            make_row(
                stage,
                minute=newest - timedelta(hours=hour),
                calls=max(1, round((1_000 + 40 * hour) * share)),
                status_class=status,
                verdict=verdict,
                cache_hits=30 if status == 2 else 0,
                cache_misses=10 if status == 2 else 0,
                **mine,
            )
            for hour in range(24)
            for status, verdict, share in ANSWERS
        )
    )
