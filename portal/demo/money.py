"""What the demo's money pages show: a tax rate, credits, a budget."""

from decimal import Decimal

from accounts.models import Organization, User
from billing.budgets import create_budget
from billing.ledger.grants import grant
from billing.models import CreditGrant
from billing.tax_rates import create_tax_rate


def make_money(*, provider: Organization, customer: Organization, actor: User) -> None:
    """Make credits, a budget, and VAT for customers whose billing profile says Germany; only once."""
    if CreditGrant.objects.filter(organization=provider, customer=customer).exists():
        return
    grant(
        provider=provider,
        customer=customer,
        amount=Decimal(5),
        currency="USD",
        name="Welcome credits",
        reference=f"demo:{customer.pk}",
        actor=actor,
    )
    create_tax_rate(organization=provider, name="VAT", percent=Decimal(19), country="DE", actor=actor)
    create_budget(organization=customer, name="Everything", amount=Decimal(50), currency="USD", actor=actor)
