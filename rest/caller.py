"""Who is calling and what she sees: the one place that keeps organizations apart in this room."""

from collections.abc import Callable
from typing import TypeVar

from django.db.models import Model, Q, QuerySet

from access.announcements.models import Announcement
from access.models import ApiKey, Application, CustomerSuspension, PlanThrottle, Subscription, UsagePlan
from accounts.models import (
    ApiToken,
    AuditEvent,
    Member,
    MemberInvitation,
    Organization,
    User,
    WebhookDelivery,
    WebhookEndpoint,
)
from accounts.permissions import is_limited
from apis.grants import backends_of, grants_of
from apis.models import (
    Api,
    ApiInvitation,
    ApiPage,
    ApiVersion,
    Backend,
    BasePathMapping,
    Deployment,
    DomainName,
    Operation,
    Product,
    ProductInvitation,
    ProductPage,
    Stage,
)
from billing.models import (
    BillingRun,
    Budget,
    CreditGrant,
    CreditNote,
    CustomerTerms,
    Invoice,
    InvoiceState,
    LedgerTransaction,
    Payment,
    PriceOverride,
    RateCard,
    TaxRate,
)
from metering.models import BillableRule, CustomMeter, UsageAlert

Row = TypeVar("Row", bound=Model)


def _own(organization: Organization) -> Q:
    return Q(organization=organization)


def _either_side(organization: Organization) -> Q:
    return Q(organization=organization) | Q(customer=organization)


# Which rows an organization sees: what it provides, and what it uses as a developer.
SCOPES: dict[type[Model], Callable[[Organization], Q]] = {
    Announcement: _own,
    Api: _own,
    ApiInvitation: _own,
    ApiKey: _own,
    ApiPage: _own,
    ApiToken: _own,
    ApiVersion: _own,
    Application: _own,
    AuditEvent: _own,
    Backend: _own,
    BasePathMapping: _own,
    CreditGrant: _either_side,
    BillingRun: _own,
    Budget: _own,
    CreditNote: _either_side,
    # a provider's notes on a customer are her own business
    CustomerTerms: _own,
    BillableRule: _own,
    CustomerSuspension: _own,
    CustomMeter: _own,
    Deployment: _own,
    DomainName: _own,
    # a draft is the provider's own business
    Invoice: lambda organization: (
        Q(organization=organization) | Q(customer=organization) & ~Q(state=InvoiceState.DRAFT)
    ),
    LedgerTransaction: _either_side,
    Member: _own,
    MemberInvitation: _own,
    Operation: _own,
    Organization: lambda organization: Q(pk=organization.pk),
    Payment: _either_side,
    PlanThrottle: _own,
    PriceOverride: _own,
    Product: _own,
    ProductInvitation: _own,
    ProductPage: _own,
    RateCard: _own,
    Stage: _own,
    Subscription: lambda organization: Q(organization=organization) | Q(provider=organization),
    TaxRate: _own,
    UsageAlert: _own,
    UsagePlan: _own,
    WebhookDelivery: _own,
    WebhookEndpoint: _own,
}

# What a member sees who is limited to chosen APIs, and the way from a row to its API.
OF_AN_API: dict[type[Model], str] = {
    Api: "pk",
    ApiPage: "api",
    ApiVersion: "api",
    BasePathMapping: "stage__version__api",
    Deployment: "version__api",
    Operation: "version__api",
    Stage: "version__api",
}


class Caller:
    """A token with its person and organization. A superuser's token sees every organization."""

    def __init__(self, token: ApiToken) -> None:
        self.token = token
        self.user: User = token.user
        self.organization: Organization = token.organization
        self.everything: bool = self.user.is_superuser
        self.limited: bool = is_limited(self.user, self.organization)
        # set where a request of hers changes something: then she sees only what she may change
        self.changes: bool = False

    def visible(self, model: type[Row]) -> QuerySet[Row]:
        """Return the rows of `model` that this caller may know of; the rest does not exist for her."""
        rows = model._default_manager.all()
        if self.everything:
            return rows
        rows = rows.filter(SCOPES[model](self.organization))
        return self._granted(model, rows) if self.limited else rows

    def backends(self) -> QuerySet[Backend]:
        """Where her versions may send calls: who is limited chooses among what serves the APIs that she manages."""
        return backends_of(self.user, self.organization) if self.limited else self.visible(Backend)

    def _granted(self, model: type[Row], rows: QuerySet[Row]) -> QuerySet[Row]:
        if model not in OF_AN_API:
            return rows.none()
        grants = grants_of(self.user, self.organization)
        if self.changes:
            grants = grants.filter(manage=True)
        return rows.filter(**{f"{OF_AN_API[model]}__in": grants.order_by().values("api")})

    def develops(self, organization_id: str) -> bool:
        """Say whether she acts for the developer `organization_id`."""
        return self.everything or organization_id == self.organization.pk

    def provides(self, organization_id: str) -> bool:
        """Say whether she acts for the provider `organization_id`."""
        return self.everything or organization_id == self.organization.pk
