"""Every address under `/api/v1/`. A slash at the end is taken, too; links have none."""

from django.urls import URLPattern, URLResolver, path, re_path
from rest_framework.routers import SimpleRouter

from rest.views import (
    access,
    accounts,
    alerts,
    apis,
    billing,
    budgets,
    catalogue,
    customers,
    domains,
    invitations,
    invoice_documents,
    meters,
    nodes,
    overrides,
    payments,
    products,
    publish,
    runs,
    taxes,
    webhooks,
    website,
)
from rest.views.general import IndexView, OpenApiView, ProblemsView, ReferenceView, UnknownView
from rest.views.quotes import QuoteView
from rest.views.requests import RequestsView, RequestView
from rest.views.usage import EstimateView, UsageView
from rest.views.verify import AuthorizeBelowView, AuthorizeView, VerifyView


class Router(SimpleRouter):
    """A router whose paths may end in a slash."""

    def __init__(self) -> None:
        super().__init__(trailing_slash=False)
        self.trailing_slash = "/?"


# in the order of the story; the reference page and the index keep it
RESOURCES = {
    "apis": apis.ApiViews,
    "backends": apis.BackendViews,
    "versions": apis.VersionViews,
    "operations": apis.OperationViews,
    "deployments": publish.DeploymentViews,
    "stages": publish.StageViews,
    "domain-names": domains.DomainViews,
    "base-path-mappings": publish.MappingViews,
    "usage-plans": access.PlanViews,
    "plan-throttles": access.PlanThrottleViews,
    "rate-cards": billing.RateCardViews,
    "meters": meters.MeterViews,
    "billable-rules": meters.BillableRuleViews,
    "catalogue": catalogue.CatalogueViews,
    "api-pages": products.ApiPageViews,
    "api-invitations": products.ApiInvitationViews,
    "products": products.ProductViews,
    "product-pages": products.ProductPageViews,
    "product-invitations": products.ProductInvitationViews,
    "applications": access.ApplicationViews,
    "subscriptions": access.SubscriptionViews,
    "keys": access.KeyViews,
    "invoices": billing.InvoiceViews,
    "billing-runs": runs.BillingRunViews,
    "payments": payments.PaymentViews,
    "credits": payments.CreditViews,
    "price-overrides": overrides.PriceOverrideViews,
    "credit-movements": payments.MovementViews,
    "budgets": budgets.BudgetViews,
    "usage-alerts": alerts.UsageAlertViews,
    "customer-suspensions": customers.CustomerSuspensionViews,
    "announcements": customers.AnnouncementViews,
    "webhooks": webhooks.WebhookViews,
    "webhook-deliveries": webhooks.WebhookDeliveryViews,
    "credit-notes": invoice_documents.CreditNoteViews,
    "tax-rates": taxes.TaxRateViews,
    "customer-terms": taxes.CustomerTermsViews,
    "site-pages": website.SitePageViews,
    "nodes": nodes.NodeViews,
    "organizations": accounts.OrganizationViews,
    "members": accounts.MemberViews,
    "member-invitations": invitations.InvitationViews,
    "tokens": accounts.TokenViews,
    "audit-events": accounts.AuditEventViews,
}

app_name = "rest"
router = Router()
for name, views in RESOURCES.items():
    router.register(name, views, basename=name)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", IndexView.as_view(names=tuple(RESOURCES)), name="index"),
    path("openapi.json", OpenApiView.as_view(), name="openapi"),
    path("docs/", ReferenceView.as_view(), name="docs"),
    path("problems", ProblemsView.as_view(), name="problems"),
    path("problems/<slug:name>", ProblemsView.as_view(), name="problem"),
    re_path(r"^keys/verify/?$", VerifyView.as_view(), name="verify"),
    path("keys/authorize", AuthorizeView.as_view(), name="authorize"),
    re_path(r"^keys/authorize(?P<rest>/.*)$", AuthorizeBelowView.as_view(), name="authorize-below"),
    re_path(r"^installation/?$", nodes.InstallationView.as_view(), name="installation"),
    re_path(r"^branding/?$", website.BrandingView.as_view(), name="branding"),
    re_path(r"^quotes/?$", QuoteView.as_view(), name="quotes"),
    re_path(r"^billing-profile/?$", taxes.BillingProfileView.as_view(), name="billing-profile"),
    re_path(r"^usage-and-cost/?$", invoice_documents.UsageAndCostView.as_view(), name="usage-and-cost"),
    re_path(r"^meter-events/?$", meters.MeterEventsView.as_view(), name="meter-events"),
    re_path(r"^usage/?$", UsageView.as_view(), name="usage"),
    re_path(r"^usage/estimate/?$", EstimateView.as_view(), name="estimate"),
    re_path(r"^requests/?$", RequestsView.as_view(), name="requests"),
    re_path(
        r"^requests/(?P<request_id>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})/?$",
        RequestView.as_view(),
        name="request",
    ),
    re_path(r"^quota-alerts/?$", budgets.QuotaAlertsView.as_view(), name="quota-alerts"),
    *router.urls,
    re_path(r"^.*$", UnknownView.as_view()),
]
