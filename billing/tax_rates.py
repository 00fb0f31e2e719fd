"""Tax rates of a provider: made, changed, removed. Invoices keep copies, so a change holds from the next one on."""

from collections.abc import Collection
from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import assign, check_fields, locked
from billing.countries import check_country
from billing.models import TaxRate, TaxRateCustomer

CHANGEABLE = (
    "name",
    "percent",
    "inclusive",
    "country",
    "region",
    "reverse_charge_note",
    "valid_from",
    "valid_until",
)


@transaction.atomic
def create_tax_rate(
    *,
    organization: Organization,
    actor: User | None,
    customers: Collection[Organization] = (),
    **fields: Any,
) -> TaxRate:
    """Make a tax rate: `name`, `percent` (up to 6 decimals), and optionally `inclusive`, `country`, `region`,
    `reverse_charge_note`, `valid_from`, `valid_until`.

    With `customers` it is for these alone, wherever they are. Refused names the field.
    """
    rate = TaxRate(organization=organization)
    assign(rate, fields, allowed=CHANGEABLE)
    _check(rate)
    rate.save(force_insert=True)
    rate.refresh_from_db()
    _choose(rate, customers)
    _record(rate, actor, "tax_rate.created", f"Made the tax rate {rate}.", {})
    return rate


@transaction.atomic
def change_tax_rate(
    *,
    tax_rate: TaxRate,
    actor: User | None,
    customers: Collection[Organization] | None = None,
    **fields: Any,
) -> TaxRate:
    """Change a rate for invoices to come. `customers` (None = as they are) takes the place of those chosen."""
    tax_rate = locked(tax_rate)
    changes = assign(tax_rate, fields, allowed=CHANGEABLE)
    _check(tax_rate)
    if changes:
        tax_rate.save(update_fields=changes)
    if customers is not None:
        before = sorted(str(each) for each in tax_rate.customers.all())
        if before != (after := sorted(str(each) for each in customers)):
            _choose(tax_rate, customers)
            changes["customers"] = [before, after]
    if changes:
        _record(tax_rate, actor, "tax_rate.changed", f"Changed {', '.join(changes)} of {tax_rate}.", changes)
    return tax_rate


@transaction.atomic
def delete_tax_rate(*, tax_rate: TaxRate, actor: User | None) -> None:
    """Remove a rate that no invoice has; one that was charged is ended with `valid_until` instead."""
    tax_rate = locked(tax_rate)
    if tax_rate.charged.exists():
        raise Refused(
            f"{tax_rate} is on invoices. Give it an end (valid_until) instead.",
            field="valid_until",
            code="in_use",
        )
    _record(tax_rate, actor, "tax_rate.deleted", f"Removed the tax rate {tax_rate}.", {})
    tax_rate.delete()


def _choose(rate: TaxRate, customers: Collection[Organization]) -> None:
    TaxRateCustomer.objects.filter(tax_rate=rate).delete()
    TaxRateCustomer.objects.bulk_create(
        TaxRateCustomer(organization_id=rate.organization_id, tax_rate=rate, customer=each)
        for each in customers
    )


def _check(rate: TaxRate) -> None:
    rate.country = check_country(rate.country)
    check_fields(rate)
    if not 0 <= rate.percent <= 100:
        raise Refused("A tax is from 0 to 100 percent.", field="percent")
    if rate.region and not rate.country:
        raise Refused("A region needs its country.", field="country")
    if rate.valid_from and rate.valid_until and rate.valid_from >= rate.valid_until:
        raise Refused("It must end after it began.", field="valid_until")


def _record(rate: TaxRate, actor: User | None, action: str, summary: str, changes: dict[str, Any]) -> None:
    record(
        organization=rate.organization,
        actor=actor,
        action=action,
        target=rate,
        summary=summary,
        changes=changes,
    )
