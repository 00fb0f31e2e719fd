"""The management API: Django REST Framework and its OpenAPI description."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest.permissions.TokenMay"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest.parsers.JsonParser"],
    "DEFAULT_PAGINATION_CLASS": "rest.pagination.Pages",
    "DEFAULT_FILTER_BACKENDS": ["rest.filters.Fields"],
    "DEFAULT_SCHEMA_CLASS": "rest.schema.Schema",
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "rest.problems.handle",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": None,
    # `format` is no parameter of ours: answers are JSON
    "URL_FORMAT_OVERRIDE": None,
}

API_ABOUT = """
Everything that the Gatehouse console does, for programs: publish an API, make plans, hand out keys, read
usage and invoices.

**Sign in** with a token of the console: `Authorization: Bearer gat_…`. A token acts for one member of one
organization. It sees what that organization provides (APIs, plans, prices, invoices it issued) and what it
uses as a developer (applications, keys, subscriptions, invoices it received). The rest is answered 404.

**Errors** are problem documents (RFC 9457, `application/problem+json`). `errors` names each field at fault.
Fields and query parameters that are not known are refused, so that a misspelled setting is never lost.

**Lists** come in pages: `limit` (25, at most 500), `offset`, and `next` with the address of the next page.
"""

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Gatehouse management API",
    "DESCRIPTION": API_ABOUT.strip(),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_URLCONF": None,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    # closed at first: hundreds of operations and schemas would take a browser many seconds to draw
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "persistAuthorization": False,
        "filter": True,
        "docExpansion": "none",
        "defaultModelsExpandDepth": -1,
    },
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SORT_OPERATIONS": False,
    "SORT_OPERATION_PARAMETERS": False,
    "PREPROCESSING_HOOKS": ["rest.schema.describe_ours"],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ApiVisibility": "apis.models.Visibility",
        "PlanVisibility": "access.models.PlanVisibility",
        "VersionState": "apis.models.VersionState",
        "ApplicationState": "access.models.ApplicationState",
        "SubscriptionState": "access.models.SubscriptionState",
        "KeyState": "access.models.KeyState",
        "WebhookState": "accounts.webhooks.models.EndpointState",
        "DeliveryState": "accounts.webhooks.models.DeliveryState",
        "InvoiceState": "billing.models.InvoiceState",
        "PaymentState": "billing.models.PaymentState",
        "BillingRunState": "billing.models.RunState",
        "PaymentProcessor": "billing.models.Processor",
        "KeyEnvironment": "access.models.KeyEnvironment",
        "TaxTreatment": "billing.models.TaxTreatment",
        "PricingModel": "billing.models.PricingModel",
        "Proration": "billing.models.Proration",
        "TiersOver": "billing.models.TiersOver",
        "QuotaPeriod": "access.models.QuotaPeriod",
        "AnnouncementKind": "access.announcements.models.AnnouncementKind",
        "AnnouncementAudience": "access.announcements.models.Audience",
        "AnnouncementState": "access.announcements.models.AnnouncementState",
        "AlertScope": "metering.models.AlertScope",
        "Role": "accounts.models.Role",
        "VerdictCode": "rest.serializers.verify.CODES",
    },
    "TAGS": [
        {"name": "apis", "description": "Products, and the servers behind them."},
        {"name": "versions", "description": "OpenAPI documents and their operations."},
        {"name": "deployments", "description": "Going live: deployments, stages, addresses."},
        {"name": "usage-plans", "description": "Throttle, quota, price, and the stages they open."},
        {"name": "rate-cards", "description": "Prices by meter."},
        {"name": "quotes", "description": "What would it cost?"},
        {"name": "meters", "description": "What you count yourself, its events, and which calls are billed."},
        {"name": "catalogue", "description": "What a developer finds."},
        {"name": "products", "description": "Chosen operations of several APIs, told as one thing."},
        {"name": "applications", "description": "Developers' programs."},
        {"name": "subscriptions", "description": "Applications on plans."},
        {"name": "keys", "description": "Credentials, and their verification."},
        {"name": "usage", "description": "Calls, bytes, latencies, and what they cost so far."},
        {"name": "invoices", "description": "Closed months."},
        {"name": "payments", "description": "Paying invoices, and credits in advance."},
        {"name": "budgets", "description": "What a month may cost, and who is told."},
        {"name": "customers", "description": "Shutting customers out, and mails to developers."},
        {"name": "webhooks", "description": "Events for your own programs."},
        {"name": "taxes", "description": "Tax rates, terms with customers, and names on invoices."},
        {"name": "website", "description": "The website's look and own pages (staff only)."},
        {"name": "nodes", "description": "Gateway nodes (staff only)."},
        {"name": "organizations", "description": "Tenants, members, tokens, audit trail."},
    ],
}
