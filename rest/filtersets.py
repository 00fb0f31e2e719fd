"""What each list can be filtered by. Ids are compared as they are: a foreign id matches nothing."""

from typing import Any

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters

from access.announcements.models import AnnouncementState, Audience
from access.models import (
    ApplicationState,
    KeyEnvironment,
    KeyState,
    PlanVisibility,
    SubscriptionState,
)
from accounts.models import Role
from accounts.webhooks.models import DeliveryState
from apis.models import (
    VersionState,
    Visibility,
)
from billing.models import (
    GrantSource,
    InvoiceState,
    PaymentState,
    Processor,
    RunState,
    TaxTreatment,
    TransactionKind,
)
from metering.models import AlertMetric, AlertScope


def by_id(field: str) -> filters.CharFilter:
    """A filter by the id of a related thing."""
    return filters.CharFilter(
        field_name=field, max_length=10, label=f"Id of the {field.removesuffix('_id')}."
    )


def by_text(field: str, label: str = "") -> filters.CharFilter:
    return filters.CharFilter(field_name=field, max_length=500, label=label)


def by_choice(field: str, choices: Any) -> filters.ChoiceFilter:
    return filters.ChoiceFilter(field_name=field, choices=choices.choices)


class OrganizationFilters(filters.FilterSet):
    slug = by_text("slug")
    name = by_text("name")
    suspended = filters.BooleanFilter(field_name="suspended_at", lookup_expr="isnull", exclude=True)


class MemberFilters(filters.FilterSet):
    organization = by_id("organization_id")
    email = filters.CharFilter(field_name="user__email", lookup_expr="iexact", max_length=254)
    role = by_choice("role", Role)


class InvitationFilters(filters.FilterSet):
    organization = by_id("organization_id")
    email = filters.CharFilter(lookup_expr="iexact", max_length=254)
    role = by_choice("role", Role)
    waiting = filters.BooleanFilter(method="by_waiting", help_text="Neither accepted nor withdrawn.")

    def by_waiting(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:
        waiting = Q(accepted_at=None, withdrawn_at=None)
        return rows.filter(waiting if value else ~waiting)


class TokenFilters(filters.FilterSet):
    organization = by_id("organization_id")
    revoked = filters.BooleanFilter(field_name="revoked_at", lookup_expr="isnull", exclude=True)
    read_only = filters.BooleanFilter()


class AuditEventFilters(filters.FilterSet):
    organization = by_id("organization_id")
    action = by_text("action", "Such as key.revoked.")
    target_kind = by_text("target_kind")
    target_id = by_text("target_id")
    after = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    before = filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")


class CatalogueFilters(filters.FilterSet):
    category = by_text("category")
    tag = filters.CharFilter(method="tagged", max_length=40, label="One of its tags.")

    def tagged(self, rows: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return rows.filter(tags__contains=[value.lower()])


class ApiFilters(filters.FilterSet):
    organization = by_id("organization_id")
    slug = by_text("slug")
    name = by_text("name")
    visibility = by_choice("visibility", Visibility)
    region = by_text("region")


class BackendFilters(filters.FilterSet):
    organization = by_id("organization_id")
    name = by_text("name")
    url = by_text("url")


class VersionFilters(filters.FilterSet):
    organization = by_id("organization_id")
    api = by_id("api_id")
    api_slug = by_text("api__slug")
    backend = by_id("backend_id")
    name = by_text("name")
    state = by_choice("state", VersionState)


class OperationFilters(filters.FilterSet):
    organization = by_id("organization_id")
    version = by_id("version_id")
    method = filters.CharFilter(field_name="method", lookup_expr="iexact", max_length=10)
    path = filters.CharFilter(field_name="path", max_length=2000)
    operation_id = by_text("operation_id")
    tag = by_text("tag")
    key_required = filters.BooleanFilter()
    removed = filters.BooleanFilter(field_name="removed_at", lookup_expr="isnull", exclude=True)


class DeploymentFilters(filters.FilterSet):
    organization = by_id("organization_id")
    version = by_id("version_id")
    api = by_id("version__api_id")
    number = filters.NumberFilter(min_value=0, max_value=2_000_000_000)
    stage = filters.CharFilter(field_name="stages", max_length=10, label="Id of a stage that points to it.")


class StageFilters(filters.FilterSet):
    organization = by_id("organization_id")
    version = by_id("version_id")
    api = by_id("version__api_id")
    deployment = by_id("deployment_id")
    name = by_text("name")


class MappingFilters(filters.FilterSet):
    organization = by_id("organization_id")
    stage = by_id("stage_id")
    host = by_text("host")
    base_path = by_text("base_path")


class DomainFilters(filters.FilterSet):
    organization = by_id("organization_id")
    host = by_text("host")
    expires_before = filters.IsoDateTimeFilter(field_name="expires_at", lookup_expr="lt")


class PlanFilters(filters.FilterSet):
    organization = by_id("organization_id")
    name = by_text("name")
    visibility = by_choice("visibility", PlanVisibility)
    stage = by_id("plan_stages__stage_id")
    rate_card = by_id("price__rate_card_id")


class PlanThrottleFilters(filters.FilterSet):
    plan = by_id("plan_id")
    stage = by_id("stage_id")
    operation = by_id("operation_id")


class ApplicationFilters(filters.FilterSet):
    organization = by_id("organization_id")
    name = by_text("name")
    state = by_choice("state", ApplicationState)


class SubscriptionFilters(filters.FilterSet):
    organization = by_id("organization_id")
    provider = by_id("provider_id")
    application = by_id("application_id")
    plan = by_id("plan_id")
    state = by_choice("state", SubscriptionState)


class KeyFilters(filters.FilterSet):
    organization = by_id("organization_id")
    application = by_id("application_id")
    name = by_text("name")
    prefix = by_text("prefix")
    environment = by_choice("environment", KeyEnvironment)
    state = by_choice("state", KeyState)


class MeterFilters(filters.FilterSet):
    organization = by_id("organization_id")
    code = by_text("code")
    archived = filters.BooleanFilter(field_name="archived_at", lookup_expr="isnull", exclude=True)


class BillableRuleFilters(filters.FilterSet):
    organization = by_id("organization_id")


class RateCardFilters(filters.FilterSet):
    organization = by_id("organization_id")
    name = by_text("name")
    currency = by_text("currency")


class InvoiceFilters(filters.FilterSet):
    organization = by_id("organization_id")
    customer = by_id("customer_id")
    state = by_choice("state", InvoiceState)
    number = filters.NumberFilter(min_value=0, max_value=2_000_000_000)
    currency = by_text("currency")
    period_start = filters.IsoDateTimeFilter(field_name="period_start")
    after = filters.IsoDateTimeFilter(field_name="period_start", lookup_expr="gte")
    before = filters.IsoDateTimeFilter(field_name="period_start", lookup_expr="lt")


class BillingRunFilters(filters.FilterSet):
    organization = by_id("organization_id")
    state = by_choice("state", RunState)
    month_start = filters.IsoDateTimeFilter(field_name="month_start")


class PaymentFilters(filters.FilterSet):
    organization = by_id("organization_id")
    customer = by_id("customer_id")
    invoice = by_id("invoice_id")
    state = by_choice("state", PaymentState)
    processor = by_choice("processor", Processor)
    reference = by_text("reference")
    after = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte")
    before = filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="lt")


class CreditFilters(filters.FilterSet):
    organization = by_id("organization_id")
    customer = by_id("customer_id")
    source = by_choice("source", GrantSource)
    currency = by_text("currency")
    spent = filters.BooleanFilter(field_name="spent_at", lookup_expr="isnull", exclude=True)


class PriceOverrideFilters(filters.FilterSet):
    customer = by_id("customer_id")
    rate_card = by_id("rate_card_id")
    meter = by_text("meter")


class MovementFilters(filters.FilterSet):
    organization = by_id("organization_id")
    customer = by_id("customer_id")
    invoice = by_id("invoice_id")
    kind = by_choice("kind", TransactionKind)
    after = filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    before = filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")


class BudgetFilters(filters.FilterSet):
    organization = by_id("organization_id")
    application = by_id("application_id")
    subscription = by_id("subscription_id")
    name = by_text("name")
    stops = filters.BooleanFilter()
    whole_group = filters.BooleanFilter()


class WebhookFilters(filters.FilterSet):
    organization = by_id("organization_id")
    enabled = filters.BooleanFilter()


class WebhookDeliveryFilters(filters.FilterSet):
    organization = by_id("organization_id")
    webhook = filters.CharFilter(field_name="endpoint_id", max_length=10, label="Id of the webhook.")
    event = filters.CharFilter(field_name="event_id", max_length=40, label="Id of the event.")
    type = by_text("event__type")
    state = by_choice("state", DeliveryState)


class CreditNoteFilters(filters.FilterSet):
    organization = by_id("organization_id")
    customer = by_id("customer_id")
    invoice = by_id("invoice_id")
    currency = by_text("currency")
    after = filters.IsoDateTimeFilter(field_name="issued_at", lookup_expr="gte")
    before = filters.IsoDateTimeFilter(field_name="issued_at", lookup_expr="lt")


class TaxRateFilters(filters.FilterSet):
    organization = by_id("organization_id")
    country = by_text("country")


class CustomerTermsFilters(filters.FilterSet):
    organization = by_id("organization_id")
    customer = by_id("customer_id")
    tax_treatment = by_choice("tax_treatment", TaxTreatment)


class NodeFilters(filters.FilterSet):
    name = by_text("name")
    enabled = filters.BooleanFilter()


class ProductFilters(filters.FilterSet):
    organization = by_id("organization_id")
    slug = by_text("slug")
    visibility = by_choice("visibility", Visibility)
    published = filters.BooleanFilter()


class ApiPageFilters(filters.FilterSet):
    organization = by_id("organization_id")
    api = by_id("api_id")
    slug = by_text("slug")
    published = filters.BooleanFilter()


class ProductPageFilters(filters.FilterSet):
    organization = by_id("organization_id")
    product = by_id("product_id")
    slug = by_text("slug")
    published = filters.BooleanFilter()


class ApiInvitationFilters(filters.FilterSet):
    organization = by_id("organization_id")
    api = by_id("api_id")
    email = filters.CharFilter(lookup_expr="iexact", max_length=254)


class ProductInvitationFilters(filters.FilterSet):
    organization = by_id("organization_id")
    product = by_id("product_id")
    email = filters.CharFilter(lookup_expr="iexact", max_length=254)


class SitePageFilters(filters.FilterSet):
    slug = by_text("slug")
    published = filters.BooleanFilter()


class CustomerSuspensionFilters(filters.FilterSet):
    organization = by_id("organization_id")
    customer = by_id("customer_id")
    lifted = filters.BooleanFilter(field_name="lifted_at", lookup_expr="isnull", exclude=True)


class AnnouncementFilters(filters.FilterSet):
    organization = by_id("organization_id")
    state = by_choice("state", AnnouncementState)
    audience = by_choice("audience", Audience)


class UsageAlertFilters(filters.FilterSet):
    organization = by_id("organization_id")
    metric = by_choice("metric", AlertMetric)
    scope = by_choice("scope", AlertScope)
    crossed = filters.BooleanFilter(field_name="since", lookup_expr="isnull", exclude=True)
