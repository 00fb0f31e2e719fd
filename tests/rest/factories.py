"""One row of everything that an organization can have, for tests of lists and of isolation."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from access.announcements.write import create_announcement
from access.models import CustomerSuspension, PlanThrottle
from accounts.audit import record
from accounts.ids import short_id
from accounts.models import Organization
from accounts.teams.invitations import invite_member
from accounts.webhooks.endpoints import create_endpoint, send_test
from apis.invitations import invite, invite_to_product
from apis.models import Visibility
from apis.pages import create_page, create_product_page
from apis.products.change import create_product
from apis.products.choose import choose_operations
from billing.credit_notes import credit_invoice
from billing.ledger.grants import grant
from billing.models import BillingRun, Budget, Invoice, InvoiceState, Payment
from billing.overrides import give_override
from billing.profiles import set_customer_terms
from billing.tax_rates import create_tax_rate
from metering.alerts import create_alert
from metering.meters import create_meter
from metering.models import BillableRule
from tests.billing.factories import make_rate_card
from tests.factories import (
    make_api,
    make_application,
    make_backend,
    make_domain,
    make_key,
    make_mapping,
    make_member,
    make_operation,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
    make_token,
    make_version,
)


@dataclass
class World:
    """Ids of what an organization has, by the name of the resource; and the text of its key."""

    organization: Organization
    ids: dict[str, Any]
    key: str


def make_world(organization: Organization) -> World:
    """Fill an organization, as provider and as its own developer; its API is private."""
    api = make_api(organization, visibility=Visibility.PRIVATE)
    backend = make_backend(organization)
    version = make_version(api, backend=backend)
    operation = make_operation(version)
    stage = make_stage(version)
    mapping = make_mapping(stage)
    plan = make_plan(stage)
    throttle = PlanThrottle.objects.create(
        organization=organization, plan=plan, stage=stage, operation=operation, rate=5, burst=5
    )
    card = make_rate_card(organization, name=f"Card of {plan.name}")
    application = make_application(organization)
    subscription = make_subscription(application, plan)
    key, text = make_key(application)
    token, _ = make_token(organization)
    budget = Budget.objects.create(
        organization=organization, name=f"All of {plan.name}", currency="USD", amount=100
    )
    endpoint, _ = create_endpoint(organization=organization, url="http://127.0.0.1:9/", actor=None)
    product = create_product(organization=organization, title=f"Product of {plan.name}", actor=None)
    choose_operations(product=product, version=version, operations=[operation.pk], actor=None)
    event = record(
        organization=organization, actor=None, action="world.made", target=api, summary="Made a world."
    )
    credit = grant(
        provider=organization, customer=organization, amount=Decimal(5), currency="USD", actor=None
    )
    override = give_override(rate_card=card, customer=organization, percent="5", actor=None)
    payment = Payment.objects.create(
        organization=organization,
        customer=organization,
        processor="manual",
        state="succeeded",
        amount=5,
        currency="USD",
    )
    invoice = make_invoice(organization, organization)
    note = credit_invoice(invoice=invoice, reason="An outage", amount=Decimal(1), actor=None)
    rate = create_tax_rate(organization=organization, name="VAT", percent=Decimal(19), actor=None)
    terms = set_customer_terms(provider=organization, customer=make_organization(), due_days=30, actor=None)
    ids = {
        "apis": api.pk,
        "backends": backend.pk,
        "versions": version.pk,
        "operations": operation.pk,
        "deployments": stage.deployment_id,
        "stages": stage.pk,
        "base-path-mappings": mapping.pk,
        "domain-names": make_domain(organization).pk,
        "usage-plans": plan.pk,
        "plan-throttles": throttle.pk,
        "rate-cards": card.pk,
        "meters": create_meter(
            organization=organization, code=f"meter_{short_id()}", name="Meter", actor=None
        ).pk,
        "billable-rules": BillableRule.objects.create(
            organization=organization,
            effective_from=datetime(2026, 1, 1, 0, BillableRule.objects.count() % 60, tzinfo=UTC),
            verdicts=[""],
            status_classes=[2],
        ).pk,
        "catalogue": api.pk,
        "api-pages": create_page(api=api, title="Guide", actor=None).pk,
        "api-invitations": invite(api=api, email="ada@example.com", actor=None).pk,
        "products": product.pk,
        "product-pages": create_product_page(product=product, title="Guide", actor=None).pk,
        "product-invitations": invite_to_product(product=product, email="ada@example.com", actor=None).pk,
        "usage-alerts": create_alert(
            organization=organization, name=f"Any of {plan.name}", metric="calls", threshold=1, actor=None
        ).pk,
        "applications": application.pk,
        "subscriptions": subscription.pk,
        "keys": key.pk,
        "payments": payment.pk,
        "credits": credit.pk,
        "price-overrides": override.pk,
        "credit-movements": credit.entries.get().transaction_id,
        "budgets": budget.pk,
        "webhooks": endpoint.pk,
        "webhook-deliveries": send_test(endpoint=endpoint, actor=None).pk,
        "invoices": invoice.pk,
        "billing-runs": BillingRun.objects.create(
            organization=organization,
            month_start=datetime(2026, 1, 1, tzinfo=UTC),
            until=datetime(2026, 2, 1, tzinfo=UTC),
            state="done",
        ).pk,
        "credit-notes": note.pk,
        "tax-rates": rate.pk,
        "customer-terms": terms.pk,
        "customer-suspensions": CustomerSuspension.objects.create(
            organization=organization, customer=terms.customer, reason="Harm"
        ).pk,
        "announcements": create_announcement(
            organization=organization, subject="v2 is here", text="Have a look.", actor=None
        ).pk,
        "organizations": organization.pk,
        "members": make_member(organization).pk,
        "member-invitations": invite_member(
            organization=organization, email=f"{short_id()}@example.com", role="member", actor=None
        ).pk,
        "tokens": token.pk,
        "audit-events": event.pk,
    }
    return World(organization, ids, text)


def make_invoice(provider: Organization, customer: Organization, **fields: Any) -> Invoice:
    """A finalized invoice without lines (see tests/billing for whole ones)."""
    number = Invoice.objects.filter(organization=provider).count() + 1
    start = datetime(2025, 1 + number % 12, 1, tzinfo=UTC)
    defaults = {
        "number": number,
        "state": InvoiceState.FINALIZED,
        "finalized_at": datetime(2026, 1, 1, tzinfo=UTC),
        "month_start": start,
        "period_start": start,
        "period_end": datetime(2026, 1, 1, tzinfo=UTC),
        "currency": "USD",
        "total": "12.34",
    } | fields
    money = dict.fromkeys(("subtotal", "amount_due"), defaults["total"])
    return Invoice.objects.create(organization=provider, customer=customer, **(money | defaults))
