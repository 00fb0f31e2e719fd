"""Invoices with all that a document shows."""

import base64
from decimal import Decimal
from io import BytesIO

from PIL import Image

from billing.models import Invoice
from billing.profiles import change_billing_profile
from billing.queries import with_lines
from billing.tax_rates import create_tax_rate
from tests.billing.factories import close_one, make_priced_plan, make_rate_card, october, subscribed, use
from tests.factories import make_organization, make_user

CALLS, BYTES = 334_000_000, 128_849_018_880


def make_bill(**rate) -> Invoice:
    """Acme bills Bob the worked example of docs/billing.md, 1,180.10 USD, and 19 % VAT: 1,404.32."""
    acme = make_organization(make_user("alice"), name="Acme", billing_email="billing@acme.example")
    bob = make_organization(make_user("bob"), name="Bob's", billing_email="bob@example.com")
    change_billing_profile(
        organization=acme,
        legal_name="Acme APIs GmbH",
        address="Torstraße 1\n10119 Berlin",
        country="DE",
        tax_ids=[{"kind": "VAT ID", "value": "DE123456789"}],
        payment_instructions="IBAN DE00 1234 5678",
        actor=None,
    )
    change_billing_profile(
        organization=bob, legal_name="Bob & Söhne <KG>", address="Weg 7", country="FR", actor=None
    )
    create_tax_rate(organization=acme, actor=None, **({"name": "VAT", "percent": Decimal(19)} | rate))
    plan = make_priced_plan(make_rate_card(acme, base_fee="10"), name="Pro")
    use(subscribed(plan, bob), october(5), CALLS, BYTES)
    close_one(acme)
    return loaded()


def loaded() -> Invoice:
    """The one invoice there is, with all its parts."""
    return with_lines(Invoice.objects.select_related("organization", "customer")).get()


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20)) -> str:
    """A picture as data: URI."""
    held = BytesIO()
    Image.new("RGB", size, "#2a55c9").save(held, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(held.getvalue()).decode()}"
