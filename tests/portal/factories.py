"""The cast of the pages' tests: one organization that sells and buys, and people around it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from allauth.usersessions.models import UserSession
from django.test import Client

from access.announcements.letter import unsubscribe_address
from access.announcements.write import create_announcement
from access.models import ApiKey, Application, Subscription, UsagePlan
from accounts.branding.models import Branding, SitePage
from accounts.models import Organization, Role, User
from accounts.teams.invitations import invite_member
from accounts.webhooks.endpoints import create_endpoint, send_test
from apis.invitations import invite, invite_to_product
from apis.models import Api, ApiVersion, Product
from apis.pages import create_page, create_product_page
from apis.products.change import create_product
from apis.products.choose import choose_operations
from billing.credit_notes import credit_invoice
from billing.models import Budget, Payment, PaymentMethod
from billing.overrides import give_override
from billing.rate_cards import create_rate_card
from metering.alerts import create_alert
from portal.preview import link_text
from tests.factories import (
    make_api,
    make_application,
    make_backend,
    make_deployment,
    make_key,
    make_mapping,
    make_member,
    make_operation,
    make_organization,
    make_plan,
    make_staff,
    make_stage,
    make_subscription,
    make_token,
    make_user,
    make_version,
)
from tests.metering.factories import log_call
from tests.nodes.factories import make_node
from tests.rest.factories import make_invoice

_ANNOUNCEMENT_PAGES = ("", "-edit", "-send", "-delete", "-test", "-retry")
API_TEXT_PAGES = (
    "provider-api",
    *(f"provider-api-{each}" for each in ("details", "pages", "page-new", "people")),
)
PEOPLE = ("anonymous", "owner", "admin", "member", "billing", "foreign", "staff")


@dataclass
class Shop:
    """Alice's organization with one of everything; `places` are the ids that addresses need, by page name."""

    organization: Organization
    alice: User
    api: Api
    plan: UsagePlan
    application: Application
    subscription: Subscription
    key: ApiKey
    places: dict[str, Sequence[Any]]


def make_shop() -> Shop:
    """A provider with a public API and plan, that is a customer of its own as well."""
    alice = make_user("alice")
    organization = make_organization(alice, name="Shop")
    plan = make_open_plan(make_api(organization, name="Orders", slug="orders"))
    application = make_application(organization, name="Till")
    subscription = make_subscription(application, plan)
    key, _ = make_key(application)
    token, _ = make_token(organization)
    invoice = make_invoice(organization, organization)
    asking = make_organization(name="Kiosk", asked_billing_parent=organization)
    payment = Payment.objects.create(
        organization=organization,
        customer=organization,
        processor="stripe",
        amount=5,
        currency="USD",
        url="https://pay.example.com/1",
    )
    method = PaymentMethod.objects.create(
        organization=organization,
        customer=organization,
        processor="stripe",
        external_customer="cus_1",
        external_method="pm_1",
        label="Card",
    )
    # the last member is somebody else, so that a question about her is for those who administer
    member = make_member(organization)
    version = plan.stages.get().version
    own: dict[str, Sequence[Any]] = dict.fromkeys(
        ("application", "application-edit", "key-new", "key-shown"), (application.pk,)
    )
    own |= dict.fromkeys(("key-edit", "key-revoke", "key-rotate", "key-disable", "key-enable"), (key.pk,))
    own |= dict.fromkeys(("member-role", "member-remove", "member-apis"), (member.pk,))
    own |= dict.fromkeys(
        ("invoice", "provider-invoice", "invoice-pay", "invoice-check", "invoice-bundle"), (invoice.pk,)
    )
    own |= dict.fromkeys(("invoice-file", "provider-invoice-file"), (invoice.pk, "csv"))
    note = credit_invoice(invoice=invoice, reason="An outage", amount=Decimal(1), actor=None)
    notes = ("credit-note", "credit-note-file", "provider-credit-note", "provider-credit-note-file")
    own |= dict.fromkeys(notes, (note.pk,))
    own |= {"payment": [payment.pk], "payment-method-remove": [method.pk]}
    own |= dict.fromkeys(
        ("reference", "openapi-document", "openapi-yaml", "client-python"), (version.api.slug, version.name)
    )
    operation_pages = ("reference-operation", "try-it", "try-key")
    own |= dict.fromkeys(operation_pages, (version.api.slug, version.name, "get-get"))
    budget = Budget.objects.create(organization=organization, name="All", currency="USD", amount=100)
    own |= dict.fromkeys(("budget", "budget-delete"), (budget.pk,))
    alert = create_alert(organization=organization, name="Any", metric="calls", threshold=1, actor=None)
    own |= dict.fromkeys(("alert", "alert-delete"), (alert.pk,))
    own |= _products(version.api)
    own |= _business_places(organization)
    endpoint, _ = create_endpoint(organization=organization, url="http://127.0.0.1:9/", actor=None)
    hook_pages = ("webhook", "webhook-test", "webhook-rotate", "webhook-delete")
    own |= dict.fromkeys(hook_pages, (endpoint.pk,))
    line = log_call(plan.stages.get(), subscription=subscription.pk, key=key.pk)
    own |= dict.fromkeys(("request", "provider-request"), (line,))
    invitation = invite_member(
        organization=organization, email="dora@example.com", role=Role.MEMBER, actor=alice
    )
    own |= dict.fromkeys(("invitation-resend", "invitation-withdraw"), (invitation.pk,))
    own |= {"invitation": ["ghi_unknown"], "signin-with": ["github"]}
    own |= {"security-token-revoke": [token.pk], "session-end": [make_session(alice).pk]}
    own |= {
        "webhook-resend": [send_test(endpoint=endpoint, actor=None).pk],
        "api": [version.api.slug],
        "api-page": [version.api.slug, "guide"],
        "changelog": [version.api.slug],
        "site-page": ["terms"],
        "dashboard": ["api", version.api.pk],
        "usage-key": [key.pk],
        **dict.fromkeys(("node-disable", "node-enable"), (make_node(enabled=False)[0].pk,)),
        "unsubscribe": [unsubscribe_address(alice, organization).rstrip("/").rpartition("/")[2]],
        "subscribe": [plan.pk],
        "subscription-cancel": [subscription.pk],
        "subscription-plan": [subscription.pk],
        "subscription-undo": [subscription.pk],
        "billing-group-accept": [asking.pk],
        "billing-group-refuse": [asking.pk],
        "token-revoke": [token.pk],
    }
    own |= publishing_places(version)
    terms = SitePage.objects.create(title="Terms", slug="terms")
    own |= dict.fromkeys(("website-page", "website-page-delete"), (terms.pk,))
    Branding.objects.create(pk=1, logo=b"<svg></svg>", logo_type="image/svg+xml")
    return Shop(organization, alice, version.api, plan, application, subscription, key, own)


def _business_places(organization: Organization) -> dict[str, Sequence[Any]]:
    """The places of a provider that is a customer of its own: a discount, a rate card and an announcement."""
    card = create_rate_card(organization=organization, name="Card", actor=None)
    discount = give_override(rate_card=card, customer=organization, percent="5", actor=None)
    announcement = create_announcement(
        organization=organization, subject="New version", text="v2 is here.", actor=None
    )
    places: dict[str, Sequence[Any]] = {
        f"announcement{each}": [announcement.pk] for each in _ANNOUNCEMENT_PAGES
    }
    customer_pages = ("customer", "customer-suspend", "customer-resume", "customer-terms")
    customer_pages += ("customer-bills", "customer-credit", "customer-discount", "help-begin")
    places |= dict.fromkeys(customer_pages, (organization.pk,))
    return places | {"rate-card": [card.pk], "customer-discount-end": [organization.pk, discount.pk]}


def make_session(user: User, agent: str = "Firefox/130 Linux") -> Any:
    """A browser somewhere else in which she is signed in."""
    browser = signed_in(user)
    key = browser.session.session_key
    return UserSession.objects.create(user=user, session_key=key, ip="192.0.2.7", user_agent=agent)


def publishing_places(version: ApiVersion) -> dict[str, Sequence[Any]]:
    """The ids that the publishing pages need: the version's stage has a canary."""
    stage = version.stages.get()
    stage.canary_deployment, stage.canary_percent = make_deployment(version), 10
    stage.save()
    backend = make_backend(version.organization)
    (operation,) = version.operations.all()
    page = create_page(api=version.api, title="Guide", actor=None)
    invitation = invite(api=version.api, email="ada@example.com", actor=None)
    names = (
        "live",
        "operations",
        "policies",
        "settings",
        "document",
        "deploy",
        "deprecate",
        "retire",
        "responses",
        "reinstate",
    )
    found: dict[str, Sequence[Any]] = {f"version-{name}": [version.pk] for name in names}
    stages = ("settings", "policies", "flush", "promote-new", "canary", "canary-promote", "canary-remove")
    found |= {f"stage-{name}": [stage.pk] for name in stages}
    return found | {
        **dict.fromkeys(API_TEXT_PAGES, (version.api_id,)),
        **dict.fromkeys(("provider-api-page", "provider-api-page-delete"), (version.api_id, page.pk)),
        "provider-api-withdraw": [version.api_id, invitation.pk],
        "backend": [backend.pk],
        "operation": [operation.pk],
        "operation-remove": [operation.pk],
        "stage": [stage.pk],
        "stage-promote": [stage.pk, "test"],
        "stage-roll-back": [stage.pk, stage.canary_deployment_id],
    }


def _products(api: Api) -> dict[str, Sequence[Any]]:
    """The places of a product with one of everything."""
    product = add_product(api, slug="checkout")
    version = api.versions.get()
    page, invitation = product.pages.get(), product.invitations.get()
    places: dict[str, Sequence[Any]] = dict.fromkeys(("product", "product-reference"), (product.slug,))
    own = ("", "-operations", "-pages", "-page-new", "-people", "-delete")
    places |= {f"provider-product{each}": [product.pk] for each in own}
    places |= dict.fromkeys(("provider-product-page", "provider-product-page-delete"), (product.pk, page.pk))
    return places | {
        "preview": [link_text("product", product.pk, days=1)],
        "preview-start": ["product", product.pk],
        "preview-share": ["product", product.pk],
        "product-page": [product.slug, page.slug],
        "product-document": [product.slug, api.slug, version.name],
        "provider-product-withdraw": [product.pk, invitation.pk],
    }


def add_product(api: Api, number: int = 0, slug: str = "") -> Product:
    """A published product with an operation of each of the API's versions, a page and an invitation.

    With a `number` the API's first product gets another operation, page and invitation as well.
    """
    product = create_product(
        organization=api.organization,
        title=f"Product {slug or number}",
        slug=slug,
        published=True,
        actor=None,
    )
    for each in {product, api.organization.products.earliest("created_at")}:
        for version in api.versions.all():
            operations = [one.pk for one in version.operations.all()]
            choose_operations(product=each, version=version, operations=operations, actor=None)
        create_product_page(product=each, title=f"Guide {slug or number}", actor=None)
        invite_to_product(product=each, email=f"ada{number}{slug}@example.com", actor=None)
    return product


def make_open_plan(api: Api | None = None, **fields: Any) -> UsagePlan:
    """A plan that opens a live, mapped stage of the API, whose version has one operation."""
    version = make_version(api)
    make_operation(version, path="/get")
    compiled = {"operations": [], "trie": {}}
    deployment = make_deployment(version, document=version.document, compiled=compiled)
    stage = make_stage(version, deployment=deployment)
    make_mapping(stage)
    return make_plan(stage, **fields)


def people_of(shop: Shop) -> dict[str, User | None]:
    """One person for each word of PEOPLE. Charlie owns another organization; staff belongs to none."""
    bobs = {role: make_user(f"bob-{role}") for role in ("admin", "member", "billing")}
    for role, bob in bobs.items():
        make_member(shop.organization, bob, Role(role))
    charlie = make_user("charlie")
    make_organization(charlie, name="Elsewhere")
    return {"anonymous": None, "owner": shop.alice, **bobs, "foreign": charlie, "staff": make_staff("sam")}


def signed_in(user: User | None) -> Client:
    """A browser of hers; None = a visitor."""
    browser = Client()
    if user is not None:
        browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return browser
