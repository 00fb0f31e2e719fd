"""The provider of the demo at scale: its APIs with their versions, and its plans. Through the verbs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import now

from access.models import UsagePlan
from access.plans import create_plan
from accounts.models import Organization, User
from accounts.organizations import create_organization
from apis.backends import create_backend
from apis.models import LIVE, Api, Backend, Stage
from apis.publish import deploy
from apis.versions import create_api, create_version, deprecate
from billing.rate_cards import create_rate_card, load_preset, price_plan, set_price

NAME = "Meridian APIs"
BACKEND = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class _Product:
    """An API: its name, what it is about (its paths), and how many versions it has."""

    name: str
    things: tuple[str, ...]
    versions: int


_APIS = (
    _Product("Orders", ("orders", "returns"), 2),
    _Product("Payments", ("payments", "refunds", "payouts"), 2),
    _Product("Catalogue", ("products", "categories", "prices"), 3),
    _Product("Shipping", ("shipments", "labels"), 1),
    _Product("Geocoding", ("addresses", "places"), 1),
    _Product("Weather", ("forecasts", "stations", "alerts"), 2),
    _Product("Messaging", ("messages", "templates"), 1),
    # as long as names of real products can be
    _Product(
        "Identity verification and fraud screening for regulated industries", ("checks", "documents"), 1
    ),
)
# method, end of the path, what it does
_VERBS = (
    ("get", "", "List the {0}"),
    ("post", "", "Create one of the {0}"),
    ("get", "/{id}", "Read one of the {0}"),
    ("patch", "/{id}", "Change one of the {0}"),
    ("delete", "/{id}", "Delete one of the {0}"),
)
_TIERS = (
    {"up_to": "1000000", "unit_price": "0.00006"},
    {"up_to": "20000000", "unit_price": "0.00004"},
    {"up_to": None, "unit_price": "0.00002"},
)


@dataclass(frozen=True, slots=True)
class _Terms:
    """A plan: what it is called, what it costs a month (no currency = nothing), and its limits."""

    name: str
    fee: str
    currency: str
    limits: dict[str, Any]


_PLANS = (
    _Terms("Free", "", "", {"throttle_rate": 5, "throttle_burst": 10, "quota_limit": 100_000}),
    _Terms("Starter", "19", "USD", {"throttle_rate": 20, "throttle_burst": 40, "quota_limit": 1_000_000}),
    _Terms("Starter EU", "18", "EUR", {"throttle_rate": 20, "throttle_burst": 40, "quota_limit": 1_000_000}),
    _Terms("Pro", "99", "USD", {"throttle_rate": 100, "throttle_burst": 200}),
    _Terms("Pay as you go", "0", "USD", {"throttle_rate": 50, "throttle_burst": 100}),
    _Terms("Business", "990", "USD", {"requires_approval": True}),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What is sold: plans by name, and the live stages with the ids of their operations."""

    organization: Organization
    plans: dict[str, UsagePlan]
    stages: list[Stage]
    operations: dict[str, list[str]]


def make_offer(*, owner: User, since: datetime) -> Offer:
    """Make the provider with everything that it sells, as if it had begun at `since`."""
    organization = create_organization(name=NAME, owner=owner, billing_email=owner.email, actor=owner)
    backend = create_backend(organization=organization, name="Meridian's servers", url=BACKEND, actor=owner)
    stages = [stage for each in _APIS for stage in _publish(backend, each, owner)]
    plans = {
        terms.name: _plan(organization, owner, stages, terms, place) for place, terms in enumerate(_PLANS, 1)
    }
    Organization.objects.filter(pk=organization.pk).update(created_at=since)
    Api.objects.filter(organization=organization).update(created_at=since)
    operations = {stage.pk: list(stage.version.operations.values_list("pk", flat=True)) for stage in stages}
    return Offer(organization, plans, stages, operations)


def _publish(backend: Backend, product: _Product, owner: User) -> list[Stage]:
    """Publish the versions of an API; all but the newest are deprecated, and end in three months."""
    api = create_api(
        organization=backend.organization,
        name=product.name,
        slug=f"meridian-{product.name.split(maxsplit=1)[0].lower()}",
        summary=f"Everything about {', '.join(product.things)}.",
        description=f"**{product.name}** in one API. Every operation needs a key.",
        actor=owner,
    )
    stages = []
    for number in range(1, product.versions + 1):
        version = create_version(
            api=api, name=f"v{number}", document=_document(product), backend=backend, actor=owner
        )
        deployment = deploy(version=version, stage_name=LIVE, note=f"Release {number}", actor=owner)
        stages.append(deployment.stages.select_related("version__api").get())
        if number < product.versions:
            version.refresh_from_db()
            deprecate(version=version, sunset_at=now() + timedelta(days=90), actor=owner)
    return stages


def _document(product: _Product) -> dict[str, Any]:
    """Return an OpenAPI document with five operations for each thing."""
    paths: dict[str, dict[str, Any]] = {}
    place = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    for thing in product.things:
        for method, ending, summary in _VERBS:
            path = paths.setdefault(f"/{thing}{ending}", {"parameters": [place]} if ending else {})
            path[method] = {
                "summary": summary.format(thing),
                "tags": [thing],
                "responses": {"200": {"description": "Done."}},
            }
    return {"openapi": "3.0.3", "info": {"title": product.name, "version": "1"}, "paths": paths}


def _plan(
    organization: Organization, owner: User, stages: list[Stage], terms: _Terms, position: int
) -> UsagePlan:
    shared: dict[str, Any] = {"organization": organization, "name": terms.name, "actor": owner}
    plan = create_plan(stages=stages, position=position, **shared, **terms.limits)
    if terms.currency:
        card = create_rate_card(currency=terms.currency, base_fee=terms.fee, **shared)
        if terms.fee == "0":
            load_preset(rate_card=card, preset="aws-rest", actor=owner)
        else:
            set_price(rate_card=card, meter="requests", tiers=_TIERS, free_units=10_000, actor=owner)
        price_plan(plan=plan, rate_card=card, actor=owner)
    return plan
