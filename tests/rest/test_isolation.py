"""One organization never sees another's anything. Generated from the router, so a new address is held too."""

import json
from typing import Any

import pytest

from rest.urls import RESOURCES, router
from tests.factories import make_organization, make_staff, make_user
from tests.rest.conftest import Program, make_program
from tests.rest.factories import World, make_world
from tests.rest.problems import fault, problem

# bodies that get past reading, so that only the look-up can refuse
BODIES = {
    "promote": {"to": "beta"},
    "partial_update": {"name": "taken over"},
    "domain-names": {"client_ca": ""},
    "members": {"role": "owner"},
    "operations": {"key_required": False},
    "stages": {"throttle_rate": None},
    "versions": {"key_required": False},
    "rate-cards": {"name": "taken over"},
    "drop_version": {"number": 1},
    "choose_operations": {"version": "abcdefghij", "operations": []},
    "arrange": {"operations": []},
    "products": {"title": "Taken over"},
    "api-pages": {"title": "Taken over"},
    "product-pages": {"title": "Taken over"},
}
STAFF_ONLY = {"nodes", "site-pages"}


@pytest.fixture(scope="module")
def charlie(shared_rows: None) -> Program:
    return make_program(make_organization(make_user("charlie"), name="Charlie's", slug="charlies"))


@pytest.fixture(scope="module")
def foreign(charlie: Program) -> World:
    """What Charlie has; made once, as each test only asks about it."""
    return make_world(charlie.organization)


@pytest.fixture(scope="module")
def bob(shared_rows: None) -> Program:
    return make_program(make_organization(make_user("bob"), name="Bob's", slug="bobs"))


@pytest.fixture(scope="module")
def own(bob: Program) -> World:
    """As much of Bob's, beside Charlie's."""
    return make_world(bob.organization)


def detail_calls() -> list[tuple[str, str, str, str]]:
    """(resource, method, path with {id}, action) of every address of one thing."""
    found = []
    for name, viewset, _ in router.registry:
        for route in router.get_routes(viewset):
            if not route.detail:
                continue
            for method, action in router.get_method_map(viewset, route.mapping).items():
                path = route.url.removeprefix("^{prefix}/{lookup}").removesuffix("{trailing_slash}$")
                path = path.replace(r"(?P<version>[A-Za-z0-9_-]+)", "v1")
                found.append((name, method.upper(), f"{name}/{{id}}{path}", action))
    return found


CALLS = detail_calls()


def test_every_resource_of_the_contract_is_here():
    named = {
        "apis",
        "versions",
        "deployments",
        "stages",
        "usage-plans",
        "applications",
        "subscriptions",
        "keys",
        "rate-cards",
        "invoices",
        "payments",
        "credits",
        "price-overrides",
        "nodes",
        "organizations",
    }
    assert named <= RESOURCES.keys()
    assert len(CALLS) > 60


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_anothers_thing_is_not_there(alice, foreign, call):
    name, method, path, action = call
    if name in STAFF_ONLY:
        problem(alice.send(method, path.format(id="abcdefghij"), {} if method != "GET" else None), 403)
        return
    body = None if method in ("GET", "DELETE") else BODIES.get(action, BODIES.get(name, {}))
    if action == "partial_update":
        body = BODIES.get(name, BODIES["partial_update"])
    response = alice.send(method, path.format(id=foreign.ids[name]), body)
    if name == "organizations" and action in ("suspend", "resume"):
        problem(response, 403)
    else:
        problem(response, 404)


@pytest.mark.parametrize("name", [name for name in RESOURCES if name not in STAFF_ONLY])
def test_lists_hold_the_own_rows_only(bob, own, foreign, name):
    found = bob.get(name, limit=500).json()["results"]
    ids = {row["id"] for row in found}
    assert own.ids[name] in ids or name == "catalogue"
    assert foreign.ids[name] not in ids
    text = json.dumps(found)
    assert foreign.organization.pk not in text
    assert not any(str(each) in text for each in foreign.ids.values() if isinstance(each, str))


@pytest.mark.parametrize("name", [name for name in RESOURCES if name not in STAFF_ONLY])
def test_the_same_things_are_there_for_their_owner_and_for_staff(charlie, foreign, name):
    house = make_program(charlie.organization, make_staff())
    # staff may read everything, but the catalogue shows each person what she may call
    for who in (charlie, house) if name != "catalogue" else (charlie,):
        assert who.get(f"{name}/{foreign.ids[name]}").status_code == 200, name


DOMAIN = {"host": "x.example.com", "certificate": "PEM", "private_key": "PEM"}
CREDIT = {"amount": "5", "currency": "USD", "name": "Welcome"}
REFERENCES: list[tuple[str, dict[str, Any], str]] = [
    ("versions", {"api": "apis", "name": "v9", "document": {}}, "api"),
    ("deployments", {"version": "versions"}, "version"),
    ("base-path-mappings", {"stage": "stages"}, "stage"),
    ("usage-plans", {"name": "x", "stages": ["stages"]}, "stages"),
    ("usage-plans", {"name": "x", "rate_card": "rate-cards"}, "rate_card"),
    ("subscriptions", {"application": "applications", "plan": "usage-plans"}, "application"),
    ("subscriptions", {"application": "applications", "plan": "usage-plans"}, "plan"),
    ("keys", {"application": "applications", "name": "x"}, "application"),
    ("members", {"organization": "organizations", "email": "alice@example.com"}, "organization"),
    ("member-invitations", {"organization": "organizations", "email": "a@example.com"}, "organization"),
    ("invoices/close", {"organization": "organizations", "month": "2026-01"}, "organization"),
    ("apis", {"name": "x", "organization": "organizations"}, "organization"),
    ("tax-rates", {"name": "x", "percent": "1", "organization": "organizations"}, "organization"),
    ("tax-rates", {"name": "x", "percent": "1", "customers": ["organizations"]}, "customers"),
    ("customer-terms", {"customer": "organizations"}, "customer"),
    ("customer-suspensions", {"customer": "organizations", "reason": "x"}, "customer"),
    ("announcements", {"subject": "x", "text": "x", "audience": "api", "api": "apis"}, "api"),
    ("backends", {"name": "x", "url": "http://x", "organization": "organizations"}, "organization"),
    ("applications", {"name": "x", "organization": "organizations"}, "organization"),
    ("rate-cards", {"name": "x", "organization": "organizations"}, "organization"),
    ("payments", {"invoice": "invoices"}, "invoice"),
    ("payments", {"provider": "organizations", "amount": "5"}, "provider"),
    ("credits", CREDIT | {"organization": "organizations"}, "organization"),
    ("credits", CREDIT | {"customer": "organizations"}, "customer"),
    ("api-pages", {"api": "apis", "title": "x"}, "api"),
    ("product-pages", {"product": "products", "title": "x"}, "product"),
    ("api-invitations", {"api": "apis", "email": "a@example.com"}, "api"),
    ("product-invitations", {"product": "products", "email": "a@example.com"}, "product"),
    ("products", {"title": "x", "organization": "organizations"}, "organization"),
    (
        "usage-alerts",
        {"name": "x", "metric": "calls", "threshold": "1", "organization": "organizations"},
        "organization",
    ),
    ("domain-names", DOMAIN | {"organization": "organizations"}, "organization"),
]


@pytest.mark.parametrize(("path", "body", "field"), REFERENCES)
def test_anothers_thing_cannot_be_pointed_at(alice, foreign, path, body, field):
    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(each) for each in value]
        return foreign.ids.get(value, value) if isinstance(value, str) else value

    def hidden(text: str) -> str:
        for each in foreign.ids.values():
            text = text.replace(str(each), "abcdefghij") if isinstance(each, str) else text
        return text

    given = {name: filled(value) for name, value in body.items()}
    told = fault(alice.post(path, given), field, "does_not_exist")
    # what is not hers is answered like what is not there at all
    missing = json.loads(hidden(json.dumps(given)))
    assert missing != given
    assert fault(alice.post(path, missing), field, "does_not_exist") == hidden(told)


def test_usage_of_others_is_not_told(alice, foreign):
    fault(alice.get("usage", organization=foreign.organization.pk), "organization", "does_not_exist")
    fault(alice.get("usage/estimate", organization=foreign.organization.pk), "organization", "does_not_exist")
    found = alice.get("usage", subscription=foreign.ids["subscriptions"], by="api").json()
    assert found["summary"]["calls"] == 0
    assert found["breakdown"] == []


def test_an_invoice_is_seen_by_both_sides_but_a_draft_only_by_the_provider(alice, charlie, program):
    from billing.models import InvoiceState
    from tests.rest.factories import make_invoice

    final = make_invoice(alice.organization, charlie.organization)
    draft = make_invoice(
        alice.organization,
        charlie.organization,
        state=InvoiceState.DRAFT,
        number=None,
        finalized_at=None,
        part=2,
    )
    assert charlie.get(f"invoices/{final.pk}").status_code == 200
    problem(charlie.get(f"invoices/{draft.pk}"), 404)
    problem(charlie.post(f"invoices/{final.pk}/pay"), 403)
    assert alice.get(f"invoices/{draft.pk}").status_code == 200
    assert alice.done(f"invoices/{final.pk}/pay")["state"] == "paid"
