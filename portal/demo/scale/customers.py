"""Customers of the demo at scale: organizations, people, applications, subscriptions and keys, in bulk.

Nobody gets to know the secrets of these keys; who wants to call makes a new one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password
from django.db.models import Model
from django.utils.text import slugify

from access.models import ApiKey, Application, Subscription, SubscriptionState, UsagePlan
from accounts.models import AuditEvent, Member, Organization, Role, User
from accounts.secret_text import hash_of, new_secret, prefix_of
from portal.demo.scale import names
from portal.demo.scale.provider import Offer
from portal.demo.scale.rhythm import Caller

# which plans callers of a kind choose
_CHOICES = {
    "steady": ("Business", "Pro", "Pay as you go"),
    "office": ("Pro", "Starter", "Starter EU", "Pay as you go"),
    "nightly": ("Starter", "Starter EU", "Pay as you go"),
    "rare": ("Free", "Free", "Free", "Starter"),
}
# subscriptions of the largest customer: so many of each hundred, or at least
_LARGEST, _AT_LEAST = 4, 12


@dataclass
class Customers:
    """All rows that were made, in order: subscription n is called by caller n with key n."""

    organizations: list[Organization] = field(default_factory=list)
    people: list[User] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    subscriptions: list[Subscription] = field(default_factory=list)
    keys: list[ApiKey] = field(default_factory=list)

    def store(self) -> None:
        addresses = [
            EmailAddress(user=each, email=each.email, verified=True, primary=True) for each in self.people
        ]
        stored: tuple[Sequence[Model], ...] = (
            self.people, addresses, self.organizations, self.members, self.applications, self.subscriptions, self.keys
        )  # fmt: skip
        for rows in stored:
            if rows:
                type(rows[0])._default_manager.bulk_create(rows, batch_size=2_000)
        AuditEvent.objects.bulk_create([_line(each) for each in self.subscriptions], batch_size=2_000)


def make_customers(*, offer: Offer, callers: Sequence[Caller], first: User, draw: Random) -> Customers:
    """Make and store a subscription for each caller. `first` owns the largest customer."""
    made, password = Customers(), make_password(None)
    order = list(range(len(callers)))
    draw.shuffle(order)
    rows: dict[int, Subscription] = {}
    while order:
        largest = not made.organizations
        size = (
            max(_AT_LEAST, len(callers) * _LARGEST // 100)
            if largest
            else draw.choice((1, 1, 1, 2, 2, 3, 4, 8))
        )
        mine, order = order[:size], order[size:]
        since = min(callers[number].since for number in mine)
        organization = _organization(made, draw, since, owner=first if largest else None, password=password)
        for place, number in enumerate(mine):
            rows[number] = _subscription(
                made, offer, organization, callers[number], draw, name=names.program(place)
            )
    made.subscriptions = [rows[number] for number in sorted(rows)]
    made.keys = [_key(each, draw) for each in made.subscriptions]
    made.store()
    return made


def _organization(
    made: Customers, draw: Random, since: datetime, *, owner: User | None, password: str
) -> Organization:
    number = len(made.organizations)
    name = names.company(draw, number)
    organization = Organization(
        name=name,
        slug=f"{slugify(name)[:50]}-{number}",
        billing_email=f"billing@customer{number}.example",
        created_at=since,
    )
    made.organizations.append(organization)
    people = [owner] if owner else []
    for place in range(draw.choice((1, 1, 2, 3)) if owner is None else 12):
        person = User(
            email=f"person{place}@customer{number}.example",
            name=names.person(draw),
            password=password,
            date_joined=since,
        )
        people.append(person)
        made.people.append(person)
    roles = [Role.OWNER] + [draw.choice((Role.ADMIN, Role.MEMBER, Role.BILLING)) for _ in people[1:]]
    made.members += [
        Member(organization=organization, user=each, role=role, created_at=since)
        for each, role in zip(people, roles, strict=True)
    ]
    return organization


def _subscription(
    made: Customers, offer: Offer, organization: Organization, caller: Caller, draw: Random, *, name: str
) -> Subscription:
    application = Application(organization=organization, name=name, created_at=caller.since)
    made.applications.append(application)
    plan: UsagePlan = offer.plans[draw.choice(_CHOICES[caller.kind])]
    return Subscription(
        organization=organization,
        provider=offer.organization,
        application=application,
        plan=plan,
        state=draw.choices((SubscriptionState.ACTIVE, SubscriptionState.SUSPENDED), (98, 2))[0],
        started_at=caller.since,
    )


def _key(subscription: Subscription, draw: Random) -> ApiKey:
    text = new_secret("gh_live")
    return ApiKey(
        organization=subscription.organization,
        application=subscription.application,
        name=draw.choice(("Production", "Server", "Main key", "Worker")),
        prefix=prefix_of(text),
        hash=hash_of(text),
        created_at=subscription.started_at + timedelta(minutes=1),
    )


def _line(subscription: Subscription) -> AuditEvent:
    return AuditEvent(
        organization=subscription.organization,
        at=subscription.started_at,
        actor_label="Gatehouse",
        action="subscription.created",
        target_kind="subscription",
        target_id=subscription.pk,
        summary=f"Subscribed {subscription.application} to {subscription.plan}."[:300],
    )
