"""What may be sent, by example: shown in the reference, held to the fields by a test."""

from typing import Any

from rest_framework.serializers import Serializer

from rest.serializers.access import (
    ApplicationChange,
    ApplicationInput,
    CancelInput,
    ChangePlanInput,
    KeyChange,
    KeyInput,
    PlanChange,
    PlanInput,
    PlanThrottleChange,
    PlanThrottleInput,
    RefuseInput,
    RemainingInput,
    RotateInput,
    SubscriptionInput,
)
from rest.serializers.accounts import (
    BillingChildInput,
    BillingParentInput,
    CloseOrganizationInput,
    GrantsInput,
    InvitationInput,
    MemberChange,
    MemberInput,
    OrganizationChange,
    OrganizationInput,
    TokenInput,
)
from rest.serializers.alerts import UsageAlertChange, UsageAlertInput
from rest.serializers.apis import (
    ApiChange,
    ApiInput,
    BackendChange,
    BackendInput,
    DeprecateInput,
    OperationChange,
    OperationInput,
    VersionChange,
    VersionInput,
)
from rest.serializers.billing import CloseInput, DropVersionInput, RateCardChange, RateCardInput
from rest.serializers.budgets import BudgetChange, BudgetInput, QuotaAlertsSerializer
from rest.serializers.credit_notes import CreditNoteInput
from rest.serializers.customers import AnnouncementChange, AnnouncementInput, CustomerSuspensionInput
from rest.serializers.domains import CertificateInput, DomainChange, DomainInput
from rest.serializers.invitations import ApiInvitationInput, ProductInvitationInput
from rest.serializers.meters import BillableRuleInput, MeterChange, MeterEventInput, MeterInput
from rest.serializers.nodes import InstallationSerializer, NodeInput
from rest.serializers.overrides import EndInput, PriceOverrideInput
from rest.serializers.payments import CreditInput, MoneyInInput, PaymentInput, RefundInput
from rest.serializers.policies import DocumentSettingsChange, PolicyInput
from rest.serializers.products import (
    ApiPageChange,
    ApiPageInput,
    ArrangeInput,
    ChooseInput,
    ProductChange,
    ProductInput,
    ProductPageChange,
    ProductPageInput,
)
from rest.serializers.publish import (
    CanaryChange,
    DeploymentInput,
    MappingChange,
    MappingInput,
    PromoteInput,
    RollBackInput,
    StageChange,
)
from rest.serializers.quotes import QuoteInput
from rest.serializers.runs import BillingRunInput
from rest.serializers.simulations import SimulateInput
from rest.serializers.taxes import (
    BillingProfileSerializer,
    CustomerTermsChange,
    CustomerTermsInput,
    TaxRateChange,
    TaxRateInput,
)
from rest.serializers.verify_input import VerifyInput
from rest.serializers.webhooks import RotateSecretInput, WebhookChange, WebhookInput
from rest.serializers.website import BrandingSerializer, SitePageChange, SitePageInput

EXAMPLES: dict[type[Serializer], dict[str, Any]] = {
    ProductInput: {"title": "Payments", "slug": "payments", "summary": "All that a shop needs."},
    ProductChange: {"visibility": "invited", "published": True},
    ChooseInput: {"version": "v1b2c3d4e5", "operations": ["o1b2c3d4e5", "o2b2c3d4e5"]},
    ArrangeInput: {"operations": [{"operation": "o2b2c3d4e5", "section": "Refunds"}]},
    ApiPageInput: {"api": "a1b2c3d4e5", "title": "First steps", "text": "## Sign in"},
    ApiPageChange: {"position": 2, "published": True},
    ProductPageInput: {"product": "p1b2c3d4e5", "title": "First steps", "text": "## Sign in"},
    ProductPageChange: {"text": "## Sign in"},
    ApiInvitationInput: {"api": "a1b2c3d4e5", "email": "ada@example.com"},
    ProductInvitationInput: {"product": "p1b2c3d4e5", "invited": "o1b2c3d4e5"},
    SitePageInput: {"title": "Terms", "text": "Be kind."},
    SitePageChange: {"in_footer": False},
    BrandingSerializer: {"name": "Acme APIs", "accent_light": "#2a55c9", "footer_links": []},
    CloseOrganizationInput: {"name": "Acme"},
    GrantsInput: {"grants": [{"api": "a1b2c3d4e5", "manage": True}]},
    CustomerSuspensionInput: {"customer": "k3v9xq7m2b", "reason": "Calls that harm others"},
    AnnouncementInput: {
        "subject": "v1 ends in June",
        "text": "Please move to v2.",
        "audience": "api",
        "api": "a1b2c3d4e5",
    },
    AnnouncementChange: {"subject": "v1 ends in July"},
    UsageAlertInput: {"name": "Failures", "metric": "share_5xx", "threshold": "5", "minutes": 5},
    UsageAlertChange: {"threshold": "10"},
    ApiInput: {"name": "httpbin", "slug": "httpbin", "summary": "Answers with what it was asked."},
    BackendInput: {
        "name": "httpbin",
        "url": "http://127.0.0.1:5000",
        "timeout_ms": 10_000,
        "targets": [{"url": "http://127.0.0.1:5001"}],
    },
    VersionInput: {
        "api": "a1b2c3d4e5",
        "name": "v1",
        "document_url": "http://127.0.0.1:5000/spec.json",
        "backend": "b1b2c3d4e5",
    },
    DeploymentInput: {"version": "v1b2c3d4e5", "stage": "live", "note": "First release"},
    StageChange: {
        "throttle_rate": 200,
        "throttle_burst": 400,
        "policy": {
            "cache": {"ttl": 60, "keys": ["query.page"]},
            "cors": {"origins": ["https://app.example.com"], "methods": ["GET"]},
            "ip": {"allow": ["192.0.2.0/24"]},
        },
        "access_log": "$context.requestId $context.identity.sourceIp $context.status",
    },
    PolicyInput: {"policy": {"throttle": {"rate": 5, "burst": 10}, "timeout_ms": 3_000, "cache": None}},
    CanaryChange: {"deployment": "d1b2c3d4e5", "percent": 10, "variables": {"backend": "b2.example.com"}},
    DocumentSettingsChange: {
        "key_source": {"place": "header", "name": "x-shop-key"},
        "responses": {"THROTTLED": {"status": 429, "headers": {"Retry-After": "'1'"}}},
        "compress_from": 1_024,
    },
    PromoteInput: {"to": "live"},
    DomainInput: {
        "host": "api.example.com",
        "certificate": "-----BEGIN CERTIFICATE-----\n…",
        "private_key": "-----BEGIN PRIVATE KEY-----\n…",
    },
    MappingInput: {"stage": "s1b2c3d4e5", "host": "api.example.com", "base_path": "bin"},
    PlanInput: {
        "name": "Free",
        "throttle_rate": 5,
        "throttle_burst": 10,
        "quota_limit": 1000,
        "quota_period": "MONTH",
        "stages": ["s1b2c3d4e5"],
    },
    PlanThrottleInput: {
        "plan": "f1b2c3d4e5",
        "stage": "s1b2c3d4e5",
        "operation": "o1b2c3d4e5",
        "rate": 1,
        "burst": 2,
    },
    RefuseInput: {"reason": "Tell us first what you build."},
    RemainingInput: {"remaining": 500},
    ChangePlanInput: {"plan": "f1b2c3d4e5", "at": "period_end"},
    CancelInput: {"at": "period_end"},
    BillingParentInput: {"parent": "z1b2c3d4e5"},
    BillingChildInput: {"child": "z1b2c3d4e5"},
    RateCardInput: {
        "name": "Standard",
        "currency": "USD",
        "base_fee": "10",
        "prices": [
            {
                "meter": "requests",
                "free_units": "1000",
                "tiers": [
                    {"up_to": "1000000", "unit_price": "0.0000035"},
                    {"up_to": None, "unit_price": "0.0000028"},
                ],
            }
        ],
    },
    MeterInput: {"code": "tokens", "name": "Tokens", "unit": "token", "aggregation": "sum"},
    MeterChange: {"name": "AI tokens"},
    MeterEventInput: {
        "specversion": "1.0",
        "id": "5b0e7a4c-1",
        "source": "https://jobs.example.com/eu-1",
        "type": "tokens",
        "subject": "u1b2c3d4e5",
        "time": "2026-11-27T09:30:00Z",
        "data": {"value": "1250"},
    },
    BillableRuleInput: {
        "verdicts": ["", "INTEGRATION_TIMEOUT"],
        "status_classes": [2, 3, 4],
        "effective_from": "2099-01-01T00:00:00Z",
    },
    ApplicationInput: {"name": "Weather app", "description": "Asks every hour."},
    SubscriptionInput: {"application": "p1b2c3d4e5", "plan": "f1b2c3d4e5"},
    KeyInput: {
        "application": "p1b2c3d4e5",
        "name": "server",
        "environment": "live",
        "ips": ["203.0.113.0/24"],
    },
    RotateInput: {"grace_seconds": 86_400},
    VerifyInput: {
        "key": "gh_live_…",
        "api": "httpbin",
        "version": "v1",
        "method": "GET",
        "path": "/get",
    },
    QuoteInput: {
        "rate_card": {
            "currency": "USD",
            "base_fee": "10",
            "minimum": "25",
            "prices": [
                {"meter": "requests", "free_units": "1000", "tiers": [{"unit_price": "0.0000035"}]},
                {
                    "meter": "images",
                    "model": "package",
                    "package_size": "100",
                    "tiers": [{"unit_price": "5"}],
                },
            ],
        },
        "quantities": {"requests": "5000000", "images": "201"},
        "subscriptions": 1,
    },
    CloseInput: {"month": "2026-11"},
    BillingRunInput: {"month": "2026-11"},
    MoneyInInput: {"amount": "25.00", "reference": "SEPA 2026-11-20/7", "received_on": "2026-11-20"},
    PaymentInput: {"invoice": "i1b2c3d4e5"},
    CreditInput: {
        "customer": "o2b2c3d4e5",
        "amount": "50.00",
        "currency": "USD",
        "name": "Welcome",
        "expires_at": "2027-01-01T00:00:00Z",
        "reference": "welcome-o2b2c3d4e5",
    },
    RefundInput: {"amount": "5.00", "reason": "Outage of 3 November"},
    BudgetInput: {
        "name": "Weather app",
        "application": "p1b2c3d4e5",
        "currency": "USD",
        "amount": "100",
        "stops": True,
    },
    BudgetChange: {"amount": "150", "percents": [50, 90, 100]},
    QuotaAlertsSerializer: {"percents": [80, 100], "mails": True},
    WebhookInput: {"url": "https://example.com/hooks", "event_types": ["budget.threshold_reached"]},
    WebhookChange: {"enabled": True},
    RotateSecretInput: {"overlap_seconds": 86_400},
    CreditNoteInput: {"reason": "The outage of 12 November", "amount": "25.00"},
    TaxRateInput: {"name": "VAT", "percent": "19", "country": "DE"},
    TaxRateChange: {"valid_until": "2027-01-01T00:00:00Z"},
    CustomerTermsInput: {"customer": "k3v9xq7m2b", "due_days": 30, "tax_treatment": "reverse_charge"},
    CustomerTermsChange: {"due_days": 60},
    BillingProfileSerializer: {
        "legal_name": "Acme GmbH",
        "address": "Weg 1\n10115 Berlin",
        "country": "DE",
        "tax_ids": [{"kind": "VAT ID", "value": "DE123456789"}],
        "payment_instructions": "IBAN DE00 1234 5678",
    },
    NodeInput: {"name": "berlin-1"},
    OrganizationInput: {
        "name": "Weather Ltd",
        "owner": "ada@example.com",
        "billing_email": "bills@example.com",
        "timezone": "Europe/Berlin",
    },
    MemberInput: {"email": "bob@example.com", "role": "member"},
    InvitationInput: {"email": "dora@example.com", "role": "billing"},
    TokenInput: {"name": "ci", "read_only": True, "expires_at": "2027-01-01T00:00:00Z"},
    # changes: only the fields that are to change
    ApiChange: {"summary": "Answers with what it was asked.", "visibility": "public"},
    BackendChange: {
        "weight": 2,
        "targets": [{"url": "http://127.0.0.1:5001", "weight": 1}],
        "health": {"failures": 3, "rest_ms": 10_000},
        "retries": {"attempts": 1, "on": ["error", "503"]},
    },
    CertificateInput: {
        "certificate": "-----BEGIN CERTIFICATE-----\n…",
        "private_key": "-----BEGIN PRIVATE KEY-----\n…",
    },
    VersionChange: {"document_url": "http://127.0.0.1:5000/spec.json"},
    DeprecateInput: {"sunset_at": "2027-01-01T00:00:00Z"},
    OperationInput: {
        "version": "v1b2c3d4e5",
        "method": "GET",
        "path": "/orders/{id}",
        "summary": "One order",
    },
    OperationChange: {"key_required": False},
    RollBackInput: {"deployment": "d1b2c3d4e5"},
    DomainChange: {
        "certificate": "-----BEGIN CERTIFICATE-----\n…",
        "private_key": "-----BEGIN PRIVATE KEY-----\n…",
    },
    MappingChange: {"stage": "s1b2c3d4e5"},
    PlanChange: {"throttle_rate": 50, "throttle_burst": 100, "quota_limit": None},
    PlanThrottleChange: {"rate": 2, "burst": 4},
    RateCardChange: {"base_fee": "12", "effective_from": "2027-01-01T00:00:00Z"},
    DropVersionInput: {"number": 2},
    SimulateInput: {"month": "2026-10", "version": 2},
    PriceOverrideInput: {
        "customer": "o2b2c3d4e5",
        "rate_card": "c1b2c3d4e5",
        "percent": "10",
        "reason": "Loyal",
    },
    EndInput: {"at": "2027-02-01T00:00:00Z"},
    ApplicationChange: {"description": "Asks every minute."},
    KeyChange: {"ips": ["203.0.113.0/24"], "referrers": ["*.example.com"]},
    OrganizationChange: {"timezone": "Europe/Berlin"},
    MemberChange: {"role": "admin"},
    InstallationSerializer: {"throttle_rate": 5_000, "throttle_burst": 10_000},
}
