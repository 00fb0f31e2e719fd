"""Credit notes: taking back a part or all of a finalized invoice, which itself never changes."""

from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, Sum
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from billing.crediting import Bill, ChargedTax, Credited, by_amount, by_lines
from billing.dunning import lift_holds
from billing.ledger.notes import post_credit_note
from billing.models import (
    CreditNote,
    CreditNoteLine,
    CreditNoteTax,
    Invoice,
    InvoiceLine,
    InvoiceState,
)
from billing.pricing import ZERO

REASON_LENGTH = 300


@transaction.atomic
def credit_invoice(
    *,
    invoice: Invoice,
    reason: str,
    amount: Decimal | None = None,
    lines: Mapping[int, Decimal] | None = None,
    actor: User | None,
) -> CreditNote:
    """Issue a credit note: over `amount` (tax included), or over `lines` (position -> amount, taxes come on
    top as they did), or with neither over all that is left.

    It takes off what the invoice still owes; what is more was paid, and becomes credits of the customer. An
    invoice that then owes nothing is settled (state paid). Never more than the invoice's total altogether.
    Refused names `amount`, `lines` (both with code `too_much`), `reason` or `state`.
    """
    # one at a time for each provider: numbers have no gaps, and two credits cannot both take the last cent
    Organization.objects.select_for_update(no_key=True).get(pk=invoice.organization_id)
    invoice = (
        Invoice.objects.select_for_update(of=("self",))
        .select_related("organization", "customer")
        .get(pk=invoice.pk)
    )
    reason = _check(invoice, reason, amount, lines)
    bill, before = _bill(invoice), credited(invoice)
    if lines is not None:
        taken = by_lines(bill, before, list(lines.values()))
        rows = _rows_by_line(invoice, lines)
    else:
        taken = by_amount(bill, before, amount if amount is not None else bill.total - before.total)
        words = f"Credit on invoice {invoice.label}"
        rows = [CreditNoteLine(position=1, description=words, amount=taken.lines(bill.taxes))]
    note = _write(invoice, taken, rows, reason, actor)
    _take_off(invoice, note)
    _post(invoice, note, actor)
    record(
        organization=invoice.organization,
        actor=actor,
        action="invoice.credited",
        target=invoice,
        summary=f"{note.label}: {note.total.normalize():f} {note.currency} of invoice {invoice.label} "
        f"to {invoice.customer}: {reason}",
        changes={"credited": [str(before.total), str(before.total + note.total)]},
    )
    return note


def credited(invoice: Invoice) -> Credited:
    """Return what credit notes took back of an invoice so far. 2 queries."""
    total = invoice.credit_notes.aggregate(sum=Sum("total"))["sum"] or ZERO
    taxes = (
        CreditNoteTax.objects.filter(credit_note__invoice=invoice)
        .order_by()
        .values_list("invoice_tax")
        .annotate(Sum("amount"))
    )
    return Credited(total, dict(taxes))


def _check(invoice: Invoice, reason: str, amount: Decimal | None, lines: Mapping[int, Decimal] | None) -> str:
    if invoice.state not in (InvoiceState.FINALIZED, InvoiceState.PAID):
        raise Refused(
            f"{invoice} is {invoice.get_state_display().lower()}; only a finalized or paid one can be credited.",
            field="state",
            code="wrong_state",
        )
    reason = " ".join(reason.split())
    if not 0 < len(reason) <= REASON_LENGTH:
        raise Refused(f"Give the reason, in up to {REASON_LENGTH} characters.", field="reason")
    if lines is not None and (amount is not None or not lines):
        raise Refused("Credit an amount, or some lines, or neither for all of it.", field="lines")
    return reason


def _bill(invoice: Invoice) -> Bill:
    taxes = [ChargedTax(tax.pk, tax.amount, tax.inclusive) for tax in invoice.taxes.all()]
    return Bill(invoice.total, invoice.currency, taxes)


def _rows_by_line(invoice: Invoice, lines: Mapping[int, Decimal]) -> list[CreditNoteLine]:
    found = {
        line.position: line
        for line in InvoiceLine.objects.filter(invoice=invoice, position__in=lines).annotate(
            taken=Sum("credited__amount", default=ZERO)
        )
    }
    rows = []
    for number, (position, amount) in enumerate(sorted(lines.items()), 1):
        line = found.get(position)
        if line is None:
            raise Refused(f"This invoice has no line {position}.", field="lines", code="does_not_exist")
        if amount > (left := line.amount - line.taken):
            raise Refused(
                f"Only {max(left, ZERO).normalize():f} {invoice.currency} of line {position} are left to credit.",
                field="lines",
                code="too_much",
            )
        rows.append(
            CreditNoteLine(invoice_line=line, position=number, description=line.description, amount=amount)
        )
    return rows


def _write(
    invoice: Invoice, taken: Credited, rows: list[CreditNoteLine], reason: str, actor: User | None
) -> CreditNote:
    last = CreditNote.objects.filter(organization=invoice.organization).aggregate(last=Max("number"))["last"]
    tax = taken.tax_total
    note = CreditNote(
        organization=invoice.organization,
        customer=invoice.customer,
        invoice=invoice,
        number=(last or 0) + 1,
        reason=reason,
        currency=invoice.currency,
        subtotal=taken.total - tax,
        tax_total=tax,
        total=taken.total,
        refunded=max(ZERO, taken.total - invoice.amount_due),
        issued_at=now(),
        issued_by=actor,
    )
    for row in rows:
        row.organization, row.credit_note = invoice.organization, note
    # the note comes last: once it is there, the database takes no more lines for it
    CreditNoteLine.objects.bulk_create(rows)
    CreditNoteTax.objects.bulk_create(
        CreditNoteTax(organization=invoice.organization, credit_note=note, invoice_tax_id=key, amount=amount)
        for key, amount in taken.taxes.items()
    )
    note.save(force_insert=True)
    return note


def _take_off(invoice: Invoice, note: CreditNote) -> None:
    invoice.amount_due -= note.total - note.refunded
    changed = ["amount_due"]
    if invoice.state == InvoiceState.FINALIZED and not invoice.amount_due:
        invoice.state, invoice.paid_at = InvoiceState.PAID, note.issued_at
        changed += ["state", "paid_at"]
    invoice.save(update_fields=changed)


def _post(invoice: Invoice, note: CreditNote, actor: User | None) -> None:
    """Write into the ledger what settles a part of the invoice, and give back as credits what was paid."""
    post_credit_note(
        invoice=invoice,
        taken_off=note.total - note.refunded,
        given_back=note.refunded,
        reference=f"credit_note:{note.pk}",
        name=f"Credit note {note.label}",
        at=note.issued_at,
        actor=actor,
    )
    if invoice.state == InvoiceState.PAID:
        lift_holds(customer=invoice.customer, provider=invoice.organization, actor=actor)
