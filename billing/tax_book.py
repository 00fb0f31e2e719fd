"""Which taxes an invoice bears: a provider's rates, and what is known of its customers, loaded for many at once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from accounts.any_of import any_of
from accounts.models import Organization
from billing.models import BillingProfile, CustomerTerms, Invoice, InvoiceTax, TaxRate, TaxTreatment
from billing.pricing import ZERO
from billing.tax import Rate, tax

REVERSE_CHARGE = "Reverse charge: the customer accounts for the tax."
EXEMPT = "No tax is charged: the customer is exempt."


@dataclass(frozen=True, slots=True)
class TaxBook:
    """`profiles` by organization, `terms` by customer, both by id; `rates` pairs each rate with its customers."""

    rates: list[tuple[TaxRate, frozenset[str]]]
    profiles: Mapping[str, BillingProfile]
    terms: Mapping[str, CustomerTerms]

    def due_days(self, customer_id: str) -> int | None:
        """Return the days to pay that were agreed with the customer, if any."""
        terms = self.terms.get(customer_id)
        return terms.due_days if terms else None

    def taxes(self, invoice: Invoice, lines: Decimal) -> tuple[list[InvoiceTax], Decimal]:
        """Return the taxes of an invoice whose lines add up to `lines` (unsaved), and the net amount.

        A rate must be valid at the end of the invoice's period. Exempt customers and those under reverse charge
        get one entry of 0 that says why.
        """
        moment = invoice.period_end - timedelta(microseconds=1)
        fitting = [
            rate for rate, chosen in self.rates if self._fits(rate, chosen, invoice.customer_id, moment)
        ]
        terms = self.terms.get(invoice.customer_id)
        if terms is not None and terms.tax_treatment != TaxTreatment.STANDARD:
            return [_nothing(invoice, terms, fitting, lines)], lines
        found = tax(lines, [Rate(rate.percent, rate.inclusive) for rate in fitting], invoice.currency)
        rows = [
            _row(invoice, number, rate, found.net, amount)
            for number, (rate, amount) in enumerate(zip(fitting, found.amounts, strict=True), 1)
        ]
        return rows, found.net

    def _fits(self, rate: TaxRate, chosen: frozenset[str], customer_id: str, moment: datetime) -> bool:
        if (rate.valid_from and moment < rate.valid_from) or (
            rate.valid_until and moment >= rate.valid_until
        ):
            return False
        if chosen:
            return customer_id in chosen
        profile = self.profiles.get(customer_id)
        country, region = (profile.country, profile.region) if profile else ("", "")
        if rate.country and rate.country != country:
            return False
        return not rate.region or rate.region.casefold() == region.casefold()


def tax_book(provider: Organization, customer_ids: Collection[str]) -> TaxBook:
    """Load what is needed to tax these customers of a provider. 4 queries."""
    profiles = BillingProfile.objects.filter(any_of("organization", [provider.pk, *customer_ids]))
    terms = CustomerTerms.objects.filter(any_of("customer", customer_ids), organization=provider)
    rates = TaxRate.objects.filter(organization=provider).prefetch_related("chosen")
    return TaxBook(
        [(rate, frozenset(each.customer_id for each in rate.chosen.all())) for rate in rates],
        {each.organization_id: each for each in profiles},
        {each.customer_id: each for each in terms},
    )


def frozen_party(profile: BillingProfile | None) -> dict[str, Any]:
    """Return what invoices print of a party, as JSON."""
    if profile is None:
        return dict(_NOTHING_SAID)
    return {
        "legal_name": profile.legal_name,
        "address": profile.address,
        "country": profile.country,
        "region": profile.region,
        "tax_ids": profile.tax_ids,
        "payment_instructions": profile.payment_instructions,
    }


_NOTHING_SAID = frozen_party(BillingProfile())


def _row(invoice: Invoice, position: int, rate: TaxRate, net: Decimal, amount: Decimal) -> InvoiceTax:
    return InvoiceTax(
        organization=invoice.organization,
        invoice=invoice,
        tax_rate=rate,
        position=position,
        name=rate.name,
        percent=rate.percent,
        inclusive=rate.inclusive,
        base=net,
        amount=amount,
    )


def _nothing(invoice: Invoice, terms: CustomerTerms, fitting: list[TaxRate], lines: Decimal) -> InvoiceTax:
    reverse = terms.tax_treatment == TaxTreatment.REVERSE_CHARGE
    of_rate = next((rate.reverse_charge_note for rate in fitting if rate.reverse_charge_note), "")
    note = terms.tax_note or ((of_rate or REVERSE_CHARGE) if reverse else EXEMPT)
    return InvoiceTax(
        organization=invoice.organization,
        invoice=invoice,
        position=1,
        name="Reverse charge" if reverse else "Tax exempt",
        percent=ZERO,
        inclusive=False,
        base=lines,
        amount=ZERO,
        note=note,
    )
