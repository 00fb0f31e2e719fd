"""Makes a provider and a customer for each phase, by the verbs: `manage.py shell` runs this file's text.

`FAULTS_SEED` is JSON `{"backend": url, "phases": [names], "keys": how many each}`. Prints one JSON object: the
provider's id, the path to call, and for each phase the customer, its subscriptions and the keys' texts and ids.
"""

import json
import os
import sys

from django.db import transaction

from access.applications import create_application
from access.keys import create_key
from access.plans import create_plan
from access.subscribe import subscribe
from accounts.organizations import create_organization
from accounts.people import create_person
from apis.backends import create_backend
from apis.publish import deploy
from apis.versions import create_api, create_version
from billing.rate_cards import create_rate_card, price_plan, set_price

NOBODY = {"actor": None}
wanted = json.loads(os.environ["FAULTS_SEED"])


def organization(name):
    person = create_person(email=f"{name}@example.com", password=None, name=name.title(), **NOBODY)
    return create_organization(name=name.title(), owner=person, **NOBODY)


provider = organization("alice")
backend = create_backend(organization=provider, name="faults", url=wanted["backend"], **NOBODY)
api = create_api(organization=provider, name="Faults", slug="faults", **NOBODY)
document = {
    "openapi": "3.0.3", "info": {"title": "Faults", "version": "1"},
    "paths": {"/work": {"post": {"responses": {"200": {"description": "Fine."}}}}},
}  # fmt: skip
version = create_version(api=api, name="v1", document=document, backend=backend, **NOBODY)
deploy(version=version, stage_name="live", **NOBODY)
version.refresh_from_db()
plan = create_plan(organization=provider, name="Pays", stages=list(version.stages.all()), **NOBODY)
card = create_rate_card(organization=provider, name="Card", **NOBODY)
tiers = [{"up_to": "1000", "unit_price": "0.01"}, {"up_to": None, "unit_price": "0.001"}]
set_price(rate_card=card, meter="requests", tiers=tiers, free_units="100", **NOBODY)
set_price(rate_card=card, meter="bytes_out", tiers=[{"up_to": None, "unit_price": "0.09"}], **NOBODY)
price_plan(plan=plan, rate_card=card, **NOBODY)


def customer(number):
    """Two applications, each with half of the keys."""
    bob = organization(f"bob{number}")
    subscriptions, keys = [], []
    for half in range(2):
        application = create_application(organization=bob, name=f"App {half}", **NOBODY)
        subscriptions.append(subscribe(application=application, plan=plan, **NOBODY).pk)
        numbers = range(wanted["keys"] // 2)
        keys += [create_key(application=application, name=f"k{n}", **NOBODY) for n in numbers]
    return {
        "customer": bob.pk,
        "subscriptions": subscriptions,
        "keys": [text for _, text in keys],
        "key_ids": [key.pk for key, _ in keys],
    }


with transaction.atomic():
    phases = {name: customer(number) for number, name in enumerate(wanted["phases"])}
sys.stdout.write(json.dumps({"provider": provider.pk, "path": "/faults/v1/work", "phases": phases}))
