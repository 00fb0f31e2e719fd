"""How an organization appears on invoices (its own people say that), and a provider's terms with a customer."""

from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import assign, check_fields
from billing.countries import check_country
from billing.logos import check_logo
from billing.models import BillingProfile, CustomerTerms, TaxTreatment

PROFILE = ("legal_name", "address", "country", "region", "tax_ids", "payment_instructions", "logo")
TERMS = ("due_days", "tax_treatment", "tax_note", "credit_only", "dunning_exempt")
MAX_TAX_IDS = 5
MAX_DUE_DAYS = 365


def billing_profile(organization: Organization) -> BillingProfile:
    """Return what invoices print of an organization; an unsaved, empty one where nothing was said yet."""
    found = BillingProfile.objects.filter(organization=organization).first()
    return found or BillingProfile(organization=organization)


@transaction.atomic
def change_billing_profile(
    *, organization: Organization, actor: User | None, **fields: Any
) -> BillingProfile:
    """Change what invoices print of an organization, from the next one on.

    Fields: `legal_name`, `address` (lines), `country` (ISO 3166-1), `region`, `tax_ids`
    ([{"kind": "VAT ID", "value": "DE123"}]), `payment_instructions`, `logo` (data: URI). Refused names the field.
    """
    BillingProfile.objects.get_or_create(organization=organization)
    profile = BillingProfile.objects.select_for_update().get(organization=organization)
    if "country" in fields:
        fields["country"] = check_country(fields["country"])
    if "tax_ids" in fields:
        fields["tax_ids"] = check_tax_ids(fields["tax_ids"])
    if "logo" in fields:
        fields["logo"] = check_logo(fields["logo"])
    if "address" in fields:
        fields["address"] = "\n".join(line.strip() for line in fields["address"].strip().splitlines())
    changes = assign(profile, fields, allowed=PROFILE)
    if not changes:
        return profile
    check_fields(profile)
    profile.save(update_fields=changes)
    if "logo" in changes:
        changes["logo"] = ["", "new"] if profile.logo else ["old", ""]
    record(
        organization=organization,
        actor=actor,
        action="billing_profile.changed",
        target=profile,
        summary=f"Changed {', '.join(changes)} on invoices of {organization}.",
        changes=changes,
    )
    return profile


@transaction.atomic
def set_customer_terms(
    *, provider: Organization, customer: Organization, actor: User | None, **fields: Any
) -> CustomerTerms:
    """Set what a provider agreed with a customer: `due_days` (None = as usual), `tax_treatment`, `tax_note`,
    `credit_only` (prepaid: calls stop when the credits are used up), `dunning_exempt` (may pay late).

    It holds for invoices issued from now on. Only the provider (or staff) may call it: a customer who could
    would free herself of taxes.
    """
    CustomerTerms.objects.get_or_create(organization=provider, customer=customer)
    terms = CustomerTerms.objects.select_for_update().get(organization=provider, customer=customer)
    changes = assign(terms, fields, allowed=TERMS)
    if not changes:
        return terms
    check_fields(terms)
    if terms.due_days is not None and terms.due_days > MAX_DUE_DAYS:
        raise Refused(f"Give at most {MAX_DUE_DAYS} days to pay.", field="due_days")
    if terms.tax_treatment == TaxTreatment.STANDARD and terms.tax_note:
        raise Refused(
            "A note says why no tax is charged: choose exempt or reverse charge, or empty the note.",
            field="tax_note",
        )
    terms.save(update_fields=changes)
    record(
        organization=provider,
        actor=actor,
        action="customer_terms.changed",
        target=terms,
        summary=f"Changed {', '.join(changes)} for {customer}.",
        changes=changes,
    )
    return terms


def check_tax_ids(found: Any) -> list[dict[str, str]]:
    """Return the tax ids in one form; Refused(field `tax_ids`) for what is none."""
    if not isinstance(found, list) or len(found) > MAX_TAX_IDS:
        raise Refused(f"Give a list of at most {MAX_TAX_IDS} tax ids.", field="tax_ids")
    checked = []
    for each in found:
        if not isinstance(each, dict) or set(each) != {"kind", "value"}:
            raise Refused("Each tax id has a kind, such as VAT ID, and a value.", field="tax_ids")
        kind, value = (str(each[name]).strip() for name in ("kind", "value"))
        if not (0 < len(kind) <= 30 and 0 < len(value) <= 40) or not (kind + value).isprintable():
            raise Refused(
                "Write a tax id's kind in up to 30 and its value in up to 40 characters.", field="tax_ids"
            )
        checked.append({"kind": kind, "value": value})
    return checked
