"""Makes the demo at scale, once an installation."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from accounts.errors import Refused
from accounts.models import Organization, User
from metering.chain.marks import mark_span
from metering.models import UsageBatch, UsageDay
from nodes.rebuild import rebuild
from portal.demo.people import DEVELOPER, Secrets, make_admin, make_person
from portal.demo.scale import provider
from portal.demo.scale.around import make_around
from portal.demo.scale.customers import make_customers
from portal.demo.scale.money import close_months, make_budgets
from portal.demo.scale.requests import make_requests
from portal.demo.scale.rhythm import make_caller
from portal.demo.scale.usage import fill

# the last days are made by the minute
_MINUTES = timedelta(days=2)
_ENDING = "@gatehouse.example"


@dataclass(frozen=True, slots=True)
class Made:
    """What there is now."""

    provider: Organization
    developer: User
    subscriptions: int
    organizations: int
    days: int
    invoices: int
    requests: int


def generate(
    *, kept: Secrets, subscriptions: int, days: int, seed: int, at: datetime, anyway: bool = False
) -> Made:
    """Make so many subscriptions and so many days of their usage, up to `at`; the same again for the same seed.

    The administrator owns the provider, the demo's developer the largest customer. Refused where somebody else
    works, unless `anyway`, and where the demo at scale is already.
    """
    _check(subscriptions, days, anyway)
    until = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    since = until.replace(hour=0) - timedelta(days=days)
    draw = Random(seed)  # noqa: S311 -- believable, not secret
    admin, _ = make_admin(kept)
    developer = make_person(
        email=DEVELOPER, name="Dana Developer", password=kept.password("developer", DEVELOPER)
    )
    kept.save()
    callers = [make_caller(draw, n, subscriptions, since, days) for n in range(subscriptions)]
    offer = provider.make_offer(owner=admin, since=since)
    customers = make_customers(offer=offer, callers=callers, first=developer, draw=draw)
    finest = max(since, until.replace(hour=0) - _MINUTES)
    groups = fill(
        offer=offer, customers=customers, callers=callers, draw=draw, since=since, finest=finest, until=until
    )
    # hers alone, so that she can check her invoices: to seal everybody's year takes minutes
    mark_span(since, until, developer_id=customers.organizations[0].pk)
    invoices = close_months(provider=offer.organization, since=since, at=at, draw=draw)
    make_budgets(customers=customers, draw=draw)
    make_around(
        provider=offer.organization,
        owner=admin,
        customer=customers.organizations[0],
        developer=developer,
        at=at,
        draw=draw,
    )
    lines = make_requests(offer=offer, customers=customers, callers=callers, groups=groups, at=at, draw=draw)
    rebuild()
    # after the months, which would wait for these seals; the hourly task makes them
    mark_span(since, until)
    found = UsageDay.objects.filter(organization_id=offer.organization.pk).count()
    return Made(
        offer.organization, developer, subscriptions, len(customers.organizations), found, invoices, lines
    )


def _check(subscriptions: int, days: int, anyway: bool) -> None:
    if not 1 <= subscriptions <= 100_000 or not 1 <= days <= 390:
        raise Refused("Take 1 to 100,000 subscriptions and 1 to 390 days.", field="subscriptions")
    if Organization.objects.filter(name=provider.NAME).exists():
        raise Refused(f"The demo at scale is there already: {provider.NAME}.", code="taken")
    theirs = User.objects.exclude(email__endswith=_ENDING).exists() or UsageBatch.objects.exists()
    if theirs and not anyway:
        raise Refused(
            "Somebody works with this installation: there are accounts or calls that are not the demo's. "
            "Say --anyway if the demo may be added to them; it cannot be taken out again."
        )
