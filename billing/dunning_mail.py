"""The mails about late payment: each notice is sent once its row stands, and again if that failed."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils.timezone import now

from accounts.mail import recipients_of
from accounts.portal_address import portal_url
from billing.currencies import round_money
from billing.models import DunningNotice, DunningStep

logger = logging.getLogger(__name__)

SUBJECTS = {
    DunningStep.WARNING: "Invoice {label} of {provider} is overdue",
    DunningStep.SUSPENSION: "Your subscriptions with {provider} are suspended",
    DunningStep.RESUMPTION: "Your subscriptions with {provider} work again",
}
TEXTS = {
    DunningStep.WARNING: (
        "Invoice {label} of {provider} was due on {due}, and {amount} of it are still open.\n\n"
        "Please pay it at {url}\n{threat}"
    ),
    DunningStep.SUSPENSION: (
        "Invoice {label} of {provider} was due on {due}, and {amount} of it are still open. Therefore your "
        "subscriptions with {provider} are suspended: calls with your keys are refused.\n\n"
        "They work again as soon as it is paid: {url}\n"
    ),
    DunningStep.RESUMPTION: (
        "Thank you. What was late is paid, and your subscriptions with {provider} work again.\n\n{url}\n"
    ),
}


def send_waiting() -> int:
    """Send the mails of notices that wait, oldest first; return how many. A mail that fails waits for the next run."""
    sent = 0
    for pk in DunningNotice.objects.filter(sent_at__isnull=True).order_by("id").values_list("pk", flat=True):
        try:
            sent += _send(pk)
        except (SMTPException, OSError):
            logger.warning("The mail of dunning notice %s could not be sent; the next run tries again.", pk)
    return sent


@transaction.atomic
def _send(pk: int) -> int:
    waiting = DunningNotice.objects.select_for_update(of=("self",), skip_locked=True)
    notice = (
        waiting.select_related("invoice", "organization", "customer")
        .filter(pk=pk, sent_at__isnull=True)
        .first()
    )
    if notice is None:  # another worker sends it
        return 0
    addresses = recipients_of(notice.customer)
    step, words = DunningStep(notice.step), _words(notice)
    # paid between the notice and its mail: nothing is left to warn of
    moot = step != DunningStep.RESUMPTION and not notice.invoice.amount_due
    if addresses and not moot:
        send_mail(
            settings.ACCOUNT_EMAIL_SUBJECT_PREFIX + SUBJECTS[step].format(**words),
            TEXTS[step].format(**words),
            None,
            addresses,
        )
    notice.sent_at = now()
    notice.save(update_fields=["sent_at"])
    return 1


def _words(notice: DunningNotice) -> dict[str, str]:
    invoice = notice.invoice
    days = settings.DUNNING_SUSPEND_DAYS
    threat = f"\nIf it is not paid {days} days after that date, your subscriptions are suspended.\n"
    return {
        "label": invoice.label,
        "provider": notice.organization.name,
        "due": f"{invoice.due_at:%Y-%m-%d}",
        "amount": f"{round_money(invoice.amount_due, invoice.currency):,} {invoice.currency}",
        "url": f"{portal_url()}/console/invoices/{invoice.pk}/",
        "threat": threat if days >= 0 else "",
    }
