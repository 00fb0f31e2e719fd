"""Sending invoices by mail, each with its PDF, soon after it is issued."""

import logging
from datetime import datetime, timedelta
from smtplib import SMTPException

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils.timezone import now

from accounts.models import Role, User
from accounts.portal_address import portal_url
from billing.documents.content import invoice_document
from billing.documents.files import PDF, invoice_pdf
from billing.models import Invoice, InvoiceState
from billing.queries import with_lines

logger = logging.getLogger(__name__)
# What is older was issued before mails were switched on, or could not be sent for days.
NEWEST = timedelta(days=3)
AT_ONCE = 100


def send_waiting(*, at: datetime | None = None) -> int:
    """Send up to 100 invoices that were issued lately and not sent yet; return how many.

    Invoices of 0 and void ones are not sent. Each is a transaction of its own: a mail that the server refuses
    is tried again by the next run, and a process that dies between sending and noting it sends that one twice.
    """
    sent = 0
    for pk in waiting(at or now()).values_list("pk", flat=True)[:AT_ONCE]:
        try:
            sent += _send(pk)
        except (OSError, SMTPException):
            logger.warning("invoice %s could not be mailed; it is tried again", pk, exc_info=True)
    return sent


def waiting(at: datetime) -> QuerySet[Invoice]:
    """Return the invoices to send, oldest first."""
    return Invoice.objects.filter(
        mailed_at__isnull=True,
        finalized_at__gt=at - NEWEST,
        state__in=(InvoiceState.FINALIZED, InvoiceState.PAID),
        total__gt=0,
    ).order_by("finalized_at", "number")


def recipients(invoice: Invoice) -> list[str]:
    """Return where it goes: the customer's billing address, else her owners."""
    if address := invoice.frozen.get("customer", {}).get("billing_email"):
        return [address]
    owners = User.objects.filter(
        memberships__organization=invoice.customer_id, memberships__role=Role.OWNER, is_active=True
    )
    return list(owners.values_list("email", flat=True))


@transaction.atomic
def _send(pk: str) -> bool:
    free = Invoice.objects.select_for_update(of=("self",), skip_locked=True)
    invoice = (
        with_lines(free.select_related("organization", "customer")).filter(pk=pk, mailed_at=None).first()
    )
    if invoice is None:
        return False  # another worker has it
    to = recipients(invoice)
    if to:
        _message(invoice, to).send()
    invoice.mailed_at = now()
    invoice.save(update_fields=["mailed_at"])
    return bool(to)


def _message(invoice: Invoice, to: list[str]) -> EmailMessage:
    document = invoice_document(invoice)
    body = render_to_string(
        "documents/invoice_mail.txt",
        {"document": document, "address": f"{portal_url()}/console/invoices/{invoice.pk}/"},
    )
    provider_email = invoice.frozen.get("provider", {}).get("billing_email")
    message = EmailMessage(
        f"{document.title} from {document.provider.name}".replace("\n", " "),
        body,
        to=to,
        reply_to=[provider_email] if provider_email else None,
    )
    message.attach(f"invoice-{invoice.label}.pdf", invoice_pdf(invoice), PDF)
    return message
