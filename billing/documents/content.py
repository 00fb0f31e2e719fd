"""What stands on an invoice or a credit note, ready to print: page, PDF and mail show the same words.

Names, addresses and prices are those of the invoice's frozen copy. Money is text with the currency's decimals.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from accounts.models import Organization
from billing.countries import countries
from billing.currencies import DECIMALS
from billing.documents import words
from billing.items import card_of, divide
from billing.models import CreditNote, Invoice, InvoiceLine, InvoiceState, InvoiceTax
from billing.pricing import ZERO

SHARED = "All applications"


@dataclass(frozen=True, slots=True)
class Party:
    """One side: `lines` are address, country and e-mail address; `tax_ids` are (kind, value)."""

    name: str
    lines: list[str]
    tax_ids: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Row:
    """One line as text; quantity and price are empty where they say nothing.

    `parts` are (application and plan, quantity, amount) where several subscriptions share the line.
    """

    words: str
    quantity: str
    price: str
    amount: str
    parts: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Group:
    """Lines of one subscription (or of several together), in the document's order."""

    name: str
    rows: list[Row]
    subtotal: str


@dataclass(frozen=True, slots=True)
class Document:
    """`facts`, `sums` and `after` are (label, text); `sums` lead to `total`, `after` to what is still due."""

    kind: str
    label: str
    state: str
    currency: str
    provider: Party
    customer: Party
    facts: list[tuple[str, str]]
    groups: list[Group]
    sums: list[tuple[str, str]]
    total: tuple[str, str]
    after: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    how_to_pay: list[str] = field(default_factory=list)

    @property
    def title(self) -> str:
        """`Invoice 2026-000012`."""
        return f"{self.kind} {self.label}"

    @property
    def priced(self) -> bool:
        """Whether any line has a quantity or a price; a credit note's often have neither."""
        return any(row.quantity or row.price or row.parts for group in self.groups for row in group.rows)

    @property
    def rows(self) -> int:
        return sum(1 + len(row.parts) for group in self.groups for row in group.rows)


def invoice_document(invoice: Invoice) -> Document:
    """Arrange an invoice that was loaded with `billing.queries.with_lines`."""
    taxes = list(invoice.taxes.all())
    provider = invoice.frozen.get("provider", {})
    owed = invoice.state == InvoiceState.FINALIZED and invoice.amount_due > 0
    return Document(
        kind="Invoice",
        label=invoice.label,
        state=invoice.state,
        currency=invoice.currency,
        provider=_party(provider, invoice.organization),
        customer=_party(invoice.frozen.get("customer", {}), invoice.customer),
        facts=_facts(invoice),
        groups=_groups(invoice),
        sums=_sums(
            invoice.subtotal, invoice.tax_total, [(tax, tax.amount) for tax in taxes], invoice.currency
        ),
        total=("Total", words.money_of(invoice.total, invoice.currency)),
        after=_after(invoice),
        notes=[tax.note for tax in taxes if tax.note],
        how_to_pay=provider.get("payment_instructions", "").splitlines() if owed else [],
    )


def credit_note_document(note: CreditNote) -> Document:
    """Arrange a credit note with its lines and taxes."""
    invoice, zone = note.invoice, _zone(note.invoice)
    taxes = [(each.invoice_tax, each.amount) for each in note.taxes.select_related("invoice_tax")]
    rows = [
        Row(line.description, "", "", words.money(line.amount, note.currency)) for line in note.lines.all()
    ]
    subtotal = words.money(sum((line.amount for line in note.lines.all()), ZERO), note.currency)
    facts = [
        ("Issued", words.day(note.issued_at, zone)),
        ("For invoice", f"{invoice.label} of {words.day(invoice.finalized_at or invoice.created_at, zone)}"),
        ("Reference", note.pk),
    ]
    after = []
    if note.refunded:
        after.append(("Given back as credits", words.money_of(note.refunded, note.currency)))
    return Document(
        kind="Credit note",
        label=note.label,
        state="issued",
        currency=note.currency,
        provider=_party(invoice.frozen.get("provider", {}), invoice.organization),
        customer=_party(invoice.frozen.get("customer", {}), invoice.customer),
        facts=facts,
        groups=[Group(f"Reason: {note.reason}", rows, subtotal)],
        sums=_sums(note.subtotal, note.tax_total, taxes, note.currency),
        total=("Total credit", words.money_of(note.total, note.currency)),
        after=after,
        notes=[tax.note for tax, _ in taxes if tax.note],
    )


@dataclass(frozen=True, slots=True)
class Named:
    """A subscription as it was called when the invoice was made."""

    application_id: str
    application: str
    plan: str

    def __str__(self) -> str:
        return f"{self.application} on {self.plan}"


def subscriptions_of(invoice: Invoice) -> dict[str, Named]:
    """Return subscription id -> its names, for all that the invoice's lines speak of."""
    frozen = {
        each["id"]: Named(each["application"]["id"], each["application"]["name"], each["plan"]["name"])
        for each in invoice.frozen.get("subscriptions", [])
    }
    now = {
        each.pk: Named(each.application_id, each.application.name, each.plan.name)
        for line in invoice.lines.all()
        if (each := line.subscription) is not None
    }
    return now | frozen


def _zone(invoice: Invoice) -> str:
    return invoice.frozen.get("provider", {}).get("timezone") or invoice.organization.timezone


def _party(frozen: dict[str, Any], organization: Organization) -> Party:
    """What was frozen, else (a draft) what holds now."""
    source = frozen or {"name": organization.name, "billing_email": organization.billing_email}
    place = ", ".join(
        part for part in (source.get("region", ""), countries().get(source.get("country", ""), "")) if part
    )
    lines = [*source.get("address", "").splitlines(), place, source.get("billing_email", "")]
    return Party(
        source.get("legal_name") or source.get("name", ""),
        [line for line in lines if line],
        [(each["kind"], each["value"]) for each in source.get("tax_ids", [])],
    )


def _facts(invoice: Invoice) -> list[tuple[str, str]]:
    zone = _zone(invoice)
    last = invoice.period_end - timedelta(seconds=1)
    found = [
        ("Issued", words.day(invoice.finalized_at, zone) if invoice.finalized_at else "not yet"),
        ("Period", f"{words.day(invoice.period_start, zone)} to {words.day(last, zone)}"),
    ]
    if invoice.due_at and invoice.state == InvoiceState.FINALIZED:
        found.append(("Due", words.day(invoice.due_at, zone)))
    if invoice.paid_at:
        found.append(("Paid", words.day(invoice.paid_at, zone)))
    if invoice.voided_at:
        found.append(("Void since", words.day(invoice.voided_at, zone)))
    return [*found, ("Reference", invoice.pk)]


def _groups(invoice: Invoice) -> list[Group]:
    names = subscriptions_of(invoice)
    cards = {each["id"]: each["name"] for each in invoice.frozen.get("rate_cards", [])}
    by_owner = groupby(invoice.lines.all(), key=lambda line: line.subscription_id or card_of(line.item))
    return [_group(names, cards, list(lines), invoice.currency) for _, lines in by_owner]


def _group(names: dict[str, Named], cards: dict[str, str], lines: list[InvoiceLine], currency: str) -> Group:
    if named := names.get(lines[0].subscription_id or ""):
        name, prefix = str(named), f"{named.application}, {named.plan}: "
    else:
        card = cards.get(card_of(lines[0].item), "")
        name, prefix = (f"{SHARED}, {card}" if card else SHARED), f"{card}: "
    rows = [_row(line, prefix, names, currency) for line in lines]
    return Group(name, rows, words.money(sum((line.amount for line in lines), ZERO), currency))


def _row(line: InvoiceLine, prefix: str, names: dict[str, Named], currency: str) -> Row:
    each = words.price(line.unit_price, currency)
    return Row(
        line.description.removeprefix(prefix),
        words.quantity(line.quantity, line.meter),
        each if line.packages is None else f"{each} a package",
        words.money(line.amount, currency),
        [
            (
                str(names[pk]),
                words.quantity(units, line.meter),
                words.money(money, currency),
            )
            for pk, (units, money) in parts_of(line, currency).items()
            if pk in names
        ],
    )


def parts_of(line: InvoiceLine, currency: str) -> dict[str, tuple[Decimal, Decimal]]:
    """Return subscription id -> (units, money) of a line that several share: as they are paid, they add up to it.

    Lines of older invoices have parts with twelve decimals, which do not once they are rounded.
    """
    kept = {pk: (Decimal(units), Decimal(money)) for pk, (units, money) in line.breakdown.items()}
    money = divide(line.amount, {pk: each for pk, (_, each) in kept.items()}, DECIMALS[currency])
    return {pk: (units, money[pk]) for pk, (units, _) in kept.items()}


def _sums(
    subtotal: Decimal, tax_total: Decimal, taxes: Iterable[tuple[InvoiceTax, Decimal]], currency: str
) -> list[tuple[str, str]]:
    """The way from the net to the total; nothing where there is no tax."""
    rows = [
        (f"{tax.label}{' (contained in prices)' if tax.inclusive else ''}", words.money(amount, currency))
        for tax, amount in taxes
    ]
    if not rows and not tax_total:
        return []
    return [("Subtotal without tax", words.money(subtotal, currency)), *rows]


def _after(invoice: Invoice) -> list[tuple[str, str]]:
    """The way from the total to what is still due: credits and payments, then credit notes."""
    if invoice.state not in (InvoiceState.FINALIZED, InvoiceState.PAID):
        return []
    currency = invoice.currency
    notes = sorted(invoice.credit_notes.all(), key=lambda note: note.number)
    back = sum((note.refunded for note in notes), ZERO)
    paid = invoice.total - invoice.amount_due - sum((note.total for note in notes), ZERO) + back
    rows = [("Credits and payments", -paid)] if paid else []
    rows += [(f"Credit note {note.label}", -note.total) for note in notes]
    rows += [("Given back as credits", back)] if back else []
    rows += [("Amount due", invoice.amount_due)] if rows else []
    return [(label, words.money_of(amount, currency)) for label, amount in rows]
