"""Lines of invoices in memory. A month has hundreds of thousands of them, and a model's rows are slow to make."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from billing.models import InvoiceLine


@dataclass(slots=True)
class DraftLine:
    """What an InvoiceLine has, under the names of its columns. Its invoice is named when there is one."""

    subscription_id: str | None
    position: int
    description: str
    month_start: datetime
    item: str
    meter: str
    tier: int | None
    quantity: Decimal
    packages: Decimal | None
    unit_price: Decimal
    flat_fee: Decimal
    amount: Decimal
    breakdown: dict[str, Any]
    invoice_id: str = ""
    organization_id: str = ""


Line = DraftLine | InvoiceLine
