"""Every address of the control plane."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, register_converter
from django.urls.converters import StringConverter
from django.views.generic import RedirectView

from billing.documents.files import INVOICE_KINDS
from portal.urls_publishing import publishing_pages
from portal.urls_written import invitation_pages, website_pages, written_pages
from portal.usage_targets import KINDS
from portal.views import (
    alerts,
    announcements,
    approvals,
    brand,
    catalogue,
    changelog,
    clients,
    console_applications,
    console_audit,
    console_billing_group,
    console_billing_profile,
    console_budgets,
    console_check,
    console_home,
    console_keys,
    console_money,
    console_organization,
    console_payments,
    console_plan,
    console_requests,
    console_security,
    console_team,
    console_tokens,
    console_usage,
    console_webhooks,
    customer_money,
    customers,
    dashboards,
    granted,
    helping,
    hooks,
    installation,
    invitations,
    nodes,
    outbox,
    previews,
    products,
    provider,
    provider_audit,
    provider_product_pages,
    provider_products,
    provider_requests,
    rate_cards,
    reference,
    signin,
    subscribe,
    system,
    try_it,
    unsubscribe,
)


class InvoiceFileConverter:
    """`pdf`, `csv` or `focus`."""

    regex = "|".join(INVOICE_KINDS)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


class DashboardConverter(StringConverter):
    """What a provider's dashboard is about."""

    regex = "|".join(KINDS)


# one way in: Django's own form would let people pass without their second factor
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]

register_converter(InvoiceFileConverter, "invoicefile")
register_converter(DashboardConverter, "dashboard")

catalogue_pages = [
    path("", catalogue.home, name="home"),
    path("apis/<slug:slug>/", catalogue.api, name="api"),
    path("apis/<slug:slug>/pages/<slug:page>/", catalogue.guide, name="api-page"),
    path("apis/<slug:slug>/changes/", changelog.page, name="changelog"),
    path("apis/<slug:slug>/<slug:version>/reference/", reference.page, name="reference"),
    path(
        "apis/<slug:slug>/<slug:version>/reference/<slug:operation>/",
        reference.operation,
        name="reference-operation",
    ),
    path("apis/<slug:slug>/<slug:version>/reference/<slug:operation>/try/", try_it.send, name="try-it"),
    path("apis/<slug:slug>/<slug:version>/reference/<slug:operation>/key/", try_it.make_key, name="try-key"),
    path("apis/<slug:slug>/<slug:version>/openapi.json", reference.document, name="openapi-document"),
    path("products/<slug:slug>/", products.page, name="product"),
    path("products/<slug:slug>/pages/<slug:page>/", products.text_page, name="product-page"),
    path("products/<slug:slug>/reference/", products.reference_page, name="product-reference"),
    path(
        "products/<slug:slug>/<slug:api>/<slug:version>/openapi.json",
        products.document,
        name="product-document",
    ),
    path("preview/leave/", previews.leave, name="preview-leave"),
    path("preview/<slug:kind>/<slug:pk>/", previews.start, name="preview-start"),
    path("preview/<slug:kind>/<slug:pk>/share/", previews.share, name="preview-share"),
    path("preview/<str:text>/", previews.enter, name="preview"),
    path("apis/<slug:slug>/<slug:version>/openapi.yaml", reference.document_yaml, name="openapi-yaml"),
    path("apis/<slug:slug>/<slug:version>/client/python.zip", clients.python, name="client-python"),
    path("pages/<slug:slug>/", brand.site_page, name="site-page"),
    path("brand.css", brand.styles, name="brand-styles"),
    path("brand/logo", brand.logo, name="brand-logo"),
    path("subscribe/<slug:plan>/", subscribe.page, name="subscribe"),
]

application_pages = [
    path("", console_applications.listing, name="applications"),
    path("new/", console_applications.create, name="application-new"),
    path("<slug:pk>/", console_applications.detail, name="application"),
    path("<slug:pk>/edit/", console_applications.edit, name="application-edit"),
    path("<slug:pk>/keys/new/", console_keys.create, name="key-new"),
    path("<slug:pk>/key/", console_keys.show, name="key-shown"),
]

budget_pages = [
    path("", console_budgets.listing, name="budgets"),
    path("new/", console_budgets.create, name="budget-new"),
    path("<slug:pk>/", console_budgets.edit, name="budget"),
    path("<slug:pk>/delete/", console_budgets.delete, name="budget-delete"),
]

security_pages = [
    path("", console_security.page, name="security"),
    path("sessions/<int:pk>/end/", console_security.end, name="session-end"),
    path("sessions/end/", console_security.end_others, name="sessions-end"),
    path("tokens/<slug:pk>/revoke/", console_security.revoke, name="security-token-revoke"),
]

# allauth's own lists: the page Security shows what they would
sign_in_pages = [
    path("2fa/", RedirectView.as_view(pattern_name="security"), name="mfa_index"),
    path("2fa/webauthn/", RedirectView.as_view(pattern_name="security"), name="mfa_list_webauthn"),
    path("sessions/", RedirectView.as_view(pattern_name="security"), name="usersessions_list"),
    path("3rdparty/", console_security.disconnect, name="socialaccount_connections"),
    path("with/<slug:provider>/", signin.go, name="signin-with"),
]

webhook_pages = [
    path("", console_webhooks.page, name="webhooks"),
    path("made/", console_webhooks.show, name="webhook-shown"),
    path("deliveries/<slug:pk>/resend/", console_webhooks.resend, name="webhook-resend"),
    path("<slug:pk>/", console_webhooks.detail, name="webhook"),
    path("<slug:pk>/test/", console_webhooks.test, name="webhook-test"),
    path("<slug:pk>/rotate/", console_webhooks.rotate, name="webhook-rotate"),
    path("<slug:pk>/delete/", console_webhooks.delete, name="webhook-delete"),
]

console_pages: list[URLPattern | URLResolver] = [
    path("", console_home.home, name="console"),
    path("applications/", include(application_pages)),
    path("budgets/", include(budget_pages)),
    path("security/", include(security_pages)),
    path("webhooks/", include(webhook_pages)),
    path(
        "subscriptions/<slug:pk>/cancel/",
        console_plan.cancel_subscription,
        name="subscription-cancel",
    ),
    path("subscriptions/<slug:pk>/plan/", console_plan.change, name="subscription-plan"),
    path("subscriptions/<slug:pk>/undo/", console_plan.undo, name="subscription-undo"),
    path("keys/<slug:pk>/edit/", console_keys.edit, name="key-edit"),
    path("keys/<slug:pk>/revoke/", console_keys.revoke, name="key-revoke"),
    path("keys/<slug:pk>/rotate/", console_keys.rotate, name="key-rotate"),
    path("keys/<slug:pk>/disable/", console_keys.disable, name="key-disable"),
    path("keys/<slug:pk>/enable/", console_keys.enable, name="key-enable"),
    path("usage/", console_usage.page, name="usage"),
    path("usage/keys/<slug:pk>/", console_usage.key, name="usage-key"),
    path("requests/", console_requests.page, name="requests"),
    path("requests/<uuid:pk>/", console_requests.call, name="request"),
    path("costs/", console_money.costs, name="costs"),
    path("invoices/", console_money.invoices, name="invoices"),
    path("invoices/<slug:pk>/", console_money.invoice, name="invoice"),
    path("invoices/<slug:pk>/<invoicefile:kind>/", console_money.invoice_download, name="invoice-file"),
    path("invoices/<slug:pk>/check/", console_check.check, name="invoice-check"),
    path("invoices/<slug:pk>/bundle/", console_check.download, name="invoice-bundle"),
    path("credit-notes/<slug:pk>/", console_money.credit_note, name="credit-note"),
    path("credit-notes/<slug:pk>/pdf/", console_money.credit_note_download, name="credit-note-file"),
    path("invoices/<slug:pk>/pay/", console_payments.pay, name="invoice-pay"),
    path("payments/", console_payments.page, name="payments"),
    path("payments/cards/new/", console_payments.new_method, name="payment-method-new"),
    path("payments/cards/<slug:pk>/remove/", console_payments.forget_method, name="payment-method-remove"),
    path("payments/<slug:pk>/", console_payments.payment, name="payment"),
    path("organization/", console_organization.page, name="organization"),
    path("organization/billing/", console_billing_profile.page, name="billing-profile"),
    path("organization/help/", helping.consent, name="help-consent"),
    path("organization/help/end/", helping.end_consent, name="help-consent-end"),
    path("organization/close/", console_organization.close, name="organization-close"),
    path("organization/new/", console_organization.create, name="organization-new"),
    path("organization/switch/", console_organization.switch, name="organization-switch"),
    path("organization/members/<int:pk>/role/", console_organization.role, name="member-role"),
    path("organization/members/<int:pk>/apis/", granted.choose, name="member-apis"),
    path("organization/members/<int:pk>/remove/", console_organization.remove, name="member-remove"),
    path("organization/invitations/<slug:pk>/resend/", console_team.resend, name="invitation-resend"),
    path("organization/invitations/<slug:pk>/withdraw/", console_team.withdraw, name="invitation-withdraw"),
    path("organization/owner/", console_team.offer, name="ownership-offer"),
    path("organization/owner/accept/", console_team.accept, name="ownership-accept"),
    path("organization/owner/end/", console_team.end, name="ownership-end"),
    path("organization/billing-group/", console_billing_group.page, name="billing-group"),
    path("organization/billing-group/leave/", console_billing_group.leave, name="billing-group-leave"),
    path(
        "organization/billing-group/<slug:pk>/accept/",
        console_billing_group.accept,
        name="billing-group-accept",
    ),
    path(
        "organization/billing-group/<slug:pk>/refuse/",
        console_billing_group.refuse,
        name="billing-group-refuse",
    ),
    path("tokens/", console_tokens.page, name="tokens"),
    path("tokens/made/", console_tokens.show, name="token-shown"),
    path("tokens/<slug:pk>/revoke/", console_tokens.revoke, name="token-revoke"),
    path("audit/", console_audit.page, name="audit"),
]

product_pages: list[URLPattern | URLResolver] = [
    path("", provider_products.listing, name="provider-products"),
    path("new/", provider_products.create, name="provider-product-new"),
    path("<slug:pk>/", provider_products.edit, name="provider-product"),
    path("<slug:pk>/operations/", provider_products.operations, name="provider-product-operations"),
    path("<slug:pk>/", include(written_pages("provider-product", provider_product_pages.pages))),
    path("<slug:pk>/", include(invitation_pages("provider-product", provider_product_pages.guests))),
    path("<slug:pk>/delete/", provider_products.delete, name="provider-product-delete"),
]

customer_pages = [
    path("", customers.listing, name="customers"),
    path("<slug:pk>/", customers.detail, name="customer"),
    path("<slug:pk>/bills/", customers.bills, name="customer-bills"),
    path("<slug:pk>/suspend/", customers.suspend, name="customer-suspend"),
    path("<slug:pk>/resume/", customers.resume, name="customer-resume"),
    path("<slug:pk>/terms/", customer_money.terms, name="customer-terms"),
    path("<slug:pk>/credits/", customer_money.credit, name="customer-credit"),
    path("<slug:pk>/discount/", customer_money.discount, name="customer-discount"),
    path(
        "<slug:pk>/discount/<slug:override>/end/", customer_money.end_discount, name="customer-discount-end"
    ),
]

announcement_pages = [
    path("", announcements.listing, name="announcements"),
    path("new/", announcements.create, name="announcement-new"),
    path("<slug:pk>/", announcements.detail, name="announcement"),
    path("<slug:pk>/edit/", announcements.edit, name="announcement-edit"),
    path("<slug:pk>/test/", announcements.test, name="announcement-test"),
    path("<slug:pk>/send/", announcements.send, name="announcement-send"),
    path("<slug:pk>/delete/", announcements.delete, name="announcement-delete"),
    path("<slug:pk>/retry/", announcements.retry, name="announcement-retry"),
]

provider_pages: list[URLPattern | URLResolver] = [
    path("", provider.traffic, name="provider"),
    path("mine/", granted.listing, name="granted"),
    path("installation/", dashboards.installation, name="installation"),
    path("traffic/<dashboard:kind>/<slug:pk>/", dashboards.part, name="dashboard"),
    path("requests/", provider_requests.page, name="provider-requests"),
    path("requests/<uuid:pk>/", provider_requests.call, name="provider-request"),
    path("alerts/", alerts.listing, name="alerts"),
    path("alerts/new/", alerts.create, name="alert-new"),
    path("alerts/<slug:pk>/", alerts.edit, name="alert"),
    path("alerts/<slug:pk>/delete/", alerts.delete, name="alert-delete"),
    path("products/", include(product_pages)),
    path("website/", include(website_pages)),
    path("approvals/", approvals.listing, name="approvals"),
    path("approvals/refuse/", approvals.refuse, name="approvals-refuse"),
    path("announcements/", include(announcement_pages)),
    path("customers/", include(customer_pages)),
    path("settings/", installation.page, name="installation-settings"),
    path("settings/test-mail/", installation.test_mail, name="installation-test-mail"),
    path("nodes/", nodes.listing, name="nodes"),
    path("nodes/<slug:pk>/disable/", nodes.disable, name="node-disable"),
    path("nodes/<slug:pk>/enable/", nodes.enable, name="node-enable"),
    path("audit/", provider_audit.page, name="provider-audit"),
    path("prices/", rate_cards.listing, name="rate-cards"),
    path("prices/<slug:pk>/", rate_cards.detail, name="rate-card"),
    path("money/", provider.money, name="provider-money"),
    path("invoices/<slug:pk>/", provider.invoice, name="provider-invoice"),
    path("invoices/<slug:pk>/<invoicefile:kind>/", provider.invoice_download, name="provider-invoice-file"),
    path("credit-notes/<slug:pk>/", provider.credit_note, name="provider-credit-note"),
    path("credit-notes/<slug:pk>/pdf/", provider.credit_note_download, name="provider-credit-note-file"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(catalogue_pages)),
    path("console/", include(console_pages)),
    path("provider/", include(provider_pages)),
    path("invitations/<str:secret>/", invitations.page, name="invitation"),
    path("provider/", include(publishing_pages)),
    path("help/end/", helping.end, name="help-end"),
    path("help/<slug:pk>/", helping.begin, name="help-begin"),
    path("unsubscribe/<str:signed>/", unsubscribe.page, name="unsubscribe"),
    path("outbox/", outbox.listing, name="outbox"),
    path("outbox/<str:name>/", outbox.message, name="outbox-message"),
    path("hooks/payments/<slug:processor>", hooks.payments, name="payment-hook"),
    path("healthz", system.healthz, name="healthz"),
    path("metrics", system.metrics, name="metrics"),
    path("robots.txt", system.robots, name="robots"),
    path("favicon.ico", system.favicon, name="favicon"),
    path("admin/", admin.site.urls),
    path("accounts/", include(sign_in_pages)),
    path("accounts/", include("allauth.urls")),
    path("api/v1/", include("rest.urls")),
    path("nodes/v1/", include("nodes.urls")),
]

handler403 = "portal.views.system.forbidden"
handler404 = "portal.views.system.not_found"
handler500 = "portal.views.system.failed"
