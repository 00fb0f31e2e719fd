"""Who may open which page: every address of the site and every kind of person."""

from collections.abc import Iterable, Iterator

import pytest
from django.http import HttpResponse
from django.urls import URLPattern, URLResolver, reverse

from access.models import Announcement, CustomerSuspension, Subscription
from accounts.branding.models import SitePage
from accounts.models import ApiToken, Member, MemberInvitation, WebhookDelivery, WebhookEndpoint
from apis.models import (
    ApiInvitation,
    ApiPage,
    ApiVersion,
    Backend,
    Product,
    ProductInvitation,
    ProductPage,
    Stage,
)
from billing.models import Budget, CreditGrant, CustomerTerms, Payment, PaymentMethod, PriceOverride
from metering.models import UsageAlert
from nodes.models import Node
from portal.urls import urlpatterns
from tests.factories import make_application, make_subscription
from tests.portal.factories import PEOPLE, Shop, make_shop, people_of, signed_in
from tests.portal.publishing_pages import PUBLISHING_PAGES

pytestmark = pytest.mark.django_db

# What each person meets: anonymous, owner, admin, member, billing, foreign, staff of no organization.
# `login` and `new` are redirects to the sign-in page and to "New organization".
OPEN = "200 200 200 200 200 200 200"
READ = "login 200 200 200 200 200 new"
MANAGE = "login 200 200 200 403 200 new"
ADMINISTER = "login 200 200 403 403 200 new"
BILLS = "login 200 200 403 200 200 new"
OWN_READ = "login 200 200 200 200 404 new"
OWN_MANAGE = "login 200 200 200 403 404 new"
OWN_BILLS = "login 200 200 403 200 404 new"
OWN_ADMINISTER = "login 200 200 403 403 404 new"
SALES = "login 200 200 200 200 404 200"
SALES_ADMINISTER = "login 200 200 403 403 404 200"
SALES_BILLS = "login 200 200 403 200 404 200"
SALES_MANAGE = "login 200 200 200 403 404 200"
INSTALLATION = "login 404 404 404 404 404 200"
METRICS = "401 401 401 401 401 401 200"
# these only take POST
POST_ONLY = "405 405 405 405 405 405 405"

PAGES = {
    "home": OPEN,
    "api": OPEN,
    "api-page": OPEN,
    "changelog": OPEN,
    "site-page": OPEN,
    "brand-styles": OPEN,
    "brand-logo": OPEN,
    "product": OPEN,
    "product-page": OPEN,
    "product-reference": OPEN,
    "product-document": OPEN,
    "preview": "302 302 302 302 302 302 302",
    "preview-start": "login 302 302 302 302 404 302",
    "preview-share": "login 200 200 200 403 404 200",
    "preview-leave": POST_ONLY,
    "reference": OPEN,
    "openapi-document": OPEN,
    "openapi-yaml": OPEN,
    "client-python": OPEN,
    "reference-operation": OPEN,
    "try-it": POST_ONLY,
    "try-key": POST_ONLY,
    "subscribe": "signup 200 200 200 403 200 new",
    "applications": READ,
    "application-new": MANAGE,
    "application": OWN_READ,
    "application-edit": OWN_MANAGE,
    "key-new": OWN_MANAGE,
    "key-shown": OWN_MANAGE,
    "console": READ,
    "subscription-cancel": OWN_MANAGE,
    "subscription-plan": OWN_MANAGE,
    "subscription-undo": OWN_MANAGE,
    "key-edit": OWN_MANAGE,
    "key-revoke": OWN_MANAGE,
    "key-rotate": OWN_MANAGE,
    "key-disable": POST_ONLY,
    "key-enable": POST_ONLY,
    "usage": READ,
    "usage-key": OWN_READ,
    "requests": READ,
    "request": OWN_READ,
    "costs": BILLS,
    "invoices": BILLS,
    "invoice": OWN_BILLS,
    "invoice-file": OWN_BILLS,
    "invoice-check": OWN_BILLS,
    "invoice-bundle": OWN_BILLS,
    "credit-note": OWN_BILLS,
    "credit-note-file": OWN_BILLS,
    "billing-profile": ADMINISTER,
    "invoice-pay": POST_ONLY,
    "payments": BILLS,
    "payment": OWN_BILLS,
    "payment-method-new": POST_ONLY,
    "payment-method-remove": OWN_BILLS,
    "organization": READ,
    "organization-new": "login 200 200 200 200 200 200",
    "organization-close": "login 200 403 403 403 200 new",
    "organization-switch": POST_ONLY,
    "help-consent": POST_ONLY,
    "help-consent-end": POST_ONLY,
    "member-role": POST_ONLY,
    "member-remove": OWN_ADMINISTER,
    "invitation": "404 404 404 404 404 404 404",
    "invitation-resend": POST_ONLY,
    "invitation-withdraw": OWN_ADMINISTER,
    "ownership-offer": "login 200 403 403 403 200 new",
    "ownership-accept": "login 404 404 404 404 404 new",
    "ownership-end": "login 404 404 404 404 404 new",
    "member-apis": OWN_ADMINISTER,
    "billing-group": READ,
    "billing-group-leave": "login 200 403 403 403 200 new",
    "billing-group-accept": POST_ONLY,
    "billing-group-refuse": "login 200 403 403 403 404 new",
    "security": "login 200 200 200 200 200 200",
    "sessions-end": "login 200 200 200 200 200 200",
    "session-end": "login 200 404 404 404 404 404",
    "security-token-revoke": "login 200 404 404 404 404 404",
    "signin-with": POST_ONLY,
    "tokens": READ,
    "token-shown": READ,
    "token-revoke": OWN_ADMINISTER,
    "audit": READ,
    "budgets": BILLS,
    "budget-new": ADMINISTER,
    "budget": OWN_ADMINISTER,
    "budget-delete": OWN_ADMINISTER,
    "webhooks": ADMINISTER,
    "webhook-shown": ADMINISTER,
    "webhook": OWN_ADMINISTER,
    "webhook-test": POST_ONLY,
    "webhook-rotate": OWN_ADMINISTER,
    "webhook-delete": OWN_ADMINISTER,
    "webhook-resend": POST_ONLY,
    "granted": "login 200 200 200 200 200 200",
    "provider": SALES,
    "dashboard": SALES,
    "provider-requests": SALES,
    "provider-request": SALES,
    "installation": INSTALLATION,
    "alerts": SALES,
    "alert-new": "login 200 200 403 403 404 200",
    "alert": "login 200 200 403 403 404 200",
    "alert-delete": "login 200 200 403 403 404 200",
    "provider-products": SALES,
    "provider-product-new": SALES_MANAGE,
    "provider-product": SALES_MANAGE,
    "provider-product-operations": SALES_MANAGE,
    "provider-product-pages": SALES_MANAGE,
    "provider-product-page-new": SALES_MANAGE,
    "provider-product-page": SALES_MANAGE,
    "provider-product-page-delete": SALES_MANAGE,
    "provider-product-people": SALES_MANAGE,
    "provider-product-withdraw": SALES_MANAGE,
    "provider-product-delete": SALES_MANAGE,
    "website": INSTALLATION,
    "website-pages": INSTALLATION,
    "website-page-new": INSTALLATION,
    "website-page": INSTALLATION,
    "website-page-delete": INSTALLATION,
    "approvals": SALES,
    "approvals-refuse": SALES_MANAGE,
    "installation-settings": INSTALLATION,
    "installation-test-mail": POST_ONLY,
    "nodes": INSTALLATION,
    "node-disable": INSTALLATION,
    "node-enable": POST_ONLY,
    "customers": SALES,
    "customer": SALES,
    "customer-bills": SALES_BILLS,
    "customer-suspend": SALES_MANAGE,
    "customer-resume": SALES_MANAGE,
    "customer-terms": SALES_ADMINISTER,
    "customer-credit": SALES_ADMINISTER,
    "customer-discount": SALES_ADMINISTER,
    "customer-discount-end": SALES_ADMINISTER,
    "provider-audit": SALES,
    "announcements": SALES,
    "announcement": SALES,
    "announcement-new": SALES_ADMINISTER,
    "announcement-edit": SALES_ADMINISTER,
    "announcement-send": SALES_ADMINISTER,
    "announcement-delete": SALES_ADMINISTER,
    "announcement-test": POST_ONLY,
    "announcement-retry": POST_ONLY,
    "rate-cards": SALES_BILLS,
    "rate-card": SALES_BILLS,
    "provider-money": SALES_BILLS,
    "provider-invoice": SALES_BILLS,
    "provider-invoice-file": SALES_BILLS,
    "provider-credit-note": SALES_BILLS,
    "provider-credit-note-file": SALES_BILLS,
    "unsubscribe": OPEN,
    "help-begin": INSTALLATION,
    "help-end": POST_ONLY,
    "outbox": OPEN,
    "healthz": OPEN,
    "metrics": METRICS,
    "robots": OPEN,
    "favicon": "301 301 301 301 301 301 301",
}
FOREIGN_ACTS = [
    "application-edit",
    "key-new",
    "key-revoke",
    "key-edit",
    "key-rotate",
    "key-disable",
    "key-enable",
    "subscription-cancel",
    "subscription-plan",
    "subscription-undo",
    "billing-group-accept",
    "billing-group-refuse",
    "member-role",
    "member-remove",
    "invitation-resend",
    "invitation-withdraw",
    "member-apis",
    "token-revoke",
    "invoice-pay",
    "payment-method-remove",
    "budget",
    "budget-delete",
    "alert",
    "alert-delete",
    "provider-product",
    "provider-product-operations",
    "provider-product-page",
    "provider-product-page-delete",
    "provider-product-people",
    "provider-product-withdraw",
    "provider-product-delete",
    "website",
    "website-page",
    "website-page-delete",
    "approvals",
    "approvals-refuse",
    "customer-suspend",
    "customer-resume",
    "customer-terms",
    "customer-credit",
    "customer-discount",
    "customer-discount-end",
    "announcement-new",
    "announcement-edit",
    "announcement-send",
    "announcement-delete",
    "announcement-test",
    "announcement-retry",
    "webhook",
    "webhook-test",
    "webhook-rotate",
    "webhook-delete",
    "webhook-resend",
    "node-disable",
    "node-enable",
]


MONEY = {"invoice-pay", "payment-method-remove"}  # the billing role's own
# she may leave; nodes and the website are not there for her
ELSEWHERE = {"member-remove", "node-disable", "node-enable", "website", "website-page", "website-page-delete"}


def met(response: HttpResponse) -> str:
    """What she met, in the words of the table."""
    starts = {"login": reverse("account_login"), "signup": reverse("account_signup")}
    starts |= {"new": reverse("organization-new"), "new-api": reverse("api-register")}
    starts["stage"] = "/provider/stages/"
    if response.status_code == 302:
        known = (word for word, start in starts.items() if response["Location"].startswith(start))
        return next(known, "302")
    return str(response.status_code)


def address(shop: Shop, name: str) -> str:
    found = reverse(name, args=shop.places.get(name, ()))
    return f"{found}?chosen={waiting(shop).pk}" if name == "approvals-refuse" else found


def waiting(shop: Shop) -> Subscription:
    """A customer's subscription that waits for approval."""
    found = Subscription.objects.filter(state="pending").first()
    return found or make_subscription(make_application(), shop.plan, state="pending")


def test_each_page_opens_for_whom_it_is_meant() -> None:
    # one shop for all pages: making it takes longer than to open them
    shop = make_shop()
    people = people_of(shop)
    browsers = [signed_in(people[who]) for who in PEOPLE]
    found = {name: " ".join(met(browser.get(address(shop, name))) for browser in browsers) for name in PAGES}
    assert found == PAGES


def names_of(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str]:
    """The names of all pages of the site itself."""
    for each in patterns:
        if isinstance(each, URLPattern):
            yield each.name or ""
        # ours are lists here; what is a module of its own (allauth, REST, nodes) has tests of its own
        elif str(each.pattern) != "admin/" and isinstance(each.urlconf_name, list):
            yield from names_of(each.url_patterns)


def test_every_page_of_the_site_is_in_the_table() -> None:
    # names with _ are allauth's, whose pages lead to ours
    found = {name for name in names_of(urlpatterns) if "_" not in name} - {"payment-hook", "outbox-message"}
    assert found == PAGES.keys() | PUBLISHING_PAGES.keys()


GIVEN = {"name": "Mine", "grace": "0", "role": "owner", "environment": "live", "expires": "0"}


def addresses(shop: Shop, names: Iterable[str]) -> dict[str, str]:
    """The addresses of pages; those that need more rows make them, so ask before the state is noted."""
    return {name: address(shop, name) for name in names}


def test_nobody_can_act_on_the_things_of_another_organization() -> None:
    shop = make_shop()
    charlie, places = signed_in(people_of(shop)["foreign"]), addresses(shop, FOREIGN_ACTS)
    before = state_of(shop)
    found = {name: charlie.post(place, GIVEN).status_code for name, place in places.items()}
    assert found == dict.fromkeys(FOREIGN_ACTS, 404)
    assert state_of(shop) == before


def test_a_visitor_is_sent_to_sign_in_before_any_act() -> None:
    shop = make_shop()
    places = addresses(shop, FOREIGN_ACTS)
    before = state_of(shop)
    found = {name: met(signed_in(None).post(place)) for name, place in places.items()}
    assert found == dict.fromkeys(FOREIGN_ACTS, "login")
    assert state_of(shop) == before


def test_the_billing_role_changes_nothing() -> None:
    shop = make_shop()
    acts = [each for each in FOREIGN_ACTS if each not in MONEY | ELSEWHERE]
    clerk, places = signed_in(people_of(shop)["billing"]), addresses(shop, acts)
    before = state_of(shop)
    found = {name: clerk.post(place, GIVEN).status_code for name, place in places.items()}
    assert found == dict.fromkeys(acts, 403)
    assert state_of(shop) == before


def test_an_admin_can_make_nobody_an_owner() -> None:
    shop = make_shop()
    admin = signed_in(people_of(shop)["admin"])
    assert admin.post(address(shop, "member-role"), {"role": "owner"}).status_code == 403
    added = {"form": "member", "email": "charlie@example.com", "role": "owner"}
    assert admin.post(reverse("organization"), added).status_code == 403
    assert shop.organization.members.filter(role="owner").count() == 1
    assert not shop.organization.member_invitations.filter(role="owner").exists()


def state_of(shop: Shop) -> tuple[object, ...]:
    """Everything that the acts above would change."""
    for each in (shop.application, shop.key, shop.subscription):
        each.refresh_from_db()
    return (
        shop.application.name,
        shop.key.state,
        shop.key.grace_until,
        shop.subscription.state,
        shop.application.keys.count(),
        list(Member.objects.order_by("pk").values_list("pk", "role")),
        list(MemberInvitation.objects.values_list("pk", "hash", "withdrawn_at")),
        list(PaymentMethod.objects.values_list("external_method")),
        list(Payment.objects.values_list("pk", "state")),
        list(ApiToken.objects.values_list("pk", "revoked_at")),
        list(Product.objects.values_list("pk", "title", "updated_at")),
        list(ProductPage.objects.values_list("pk", "title")),
        list(ProductInvitation.objects.values_list("pk")),
        list(ApiPage.objects.values_list("pk", "title")),
        list(ApiInvitation.objects.values_list("pk")),
        list(SitePage.objects.values_list("pk", "title")),
        list(CustomerSuspension.objects.values_list("pk", "lifted_at")),
        list(CustomerTerms.objects.values_list("pk", "due_days")),
        CreditGrant.objects.count(),
        list(PriceOverride.objects.values_list("pk", "ends_at")),
        list(Node.objects.values_list("pk", "enabled")),
        list(Announcement.objects.values_list("pk", "subject", "state")),
        list(UsageAlert.objects.values_list("pk", "name")),
        list(Stage.objects.values()),
        list(ApiVersion.objects.values_list("pk", "state", "updated_at")),
        list(Backend.objects.values_list("pk", "name")),
        list(Budget.objects.values_list("pk", "name", "amount")),
        list(WebhookEndpoint.objects.values_list("pk", "url", "sealed_secret")),
        list(WebhookDelivery.objects.values_list("pk", "next_try_at")),
    )
