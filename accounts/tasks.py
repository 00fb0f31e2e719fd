"""Celery: mail, webhooks, and looks at the site that are over."""

import logging

from celery import shared_task
from django.conf import settings
from django.core.mail import send_mail

from accounts.helping.sessions import end_overdue
from accounts.mail import recipients_of
from accounts.models import Organization
from accounts.webhooks import deliver

logger = logging.getLogger(__name__)


@shared_task
def send_mail_to(organization_id: str, subject: str, text: str) -> None:
    """Send a mail to an organization's billing address or owners."""
    organization = Organization.objects.filter(pk=organization_id).first()
    addresses = recipients_of(organization) if organization else []
    if not addresses:
        logger.info("organization %s has no address to write to", organization_id)
        return
    _send(addresses, subject, text, f"organization {organization_id}")


@shared_task
def send_mail_to_address(address: str, subject: str, text: str) -> None:
    """Send a mail to one address."""
    _send([address], subject, text, "one address")


def _send(addresses: list[str], subject: str, text: str, whom: str) -> None:
    try:
        send_mail(f"{settings.ACCOUNT_EMAIL_SUBJECT_PREFIX}{subject}", text, None, addresses)
    except OSError as error:
        # smtplib's errors are OSErrors; a repeat could send it twice to some
        logger.warning("a mail to %s was not sent: %s", whom, type(error).__name__)


@shared_task
def deliver_webhook(delivery_id: str) -> None:
    """Try one delivery."""
    deliver.deliver(delivery_id=delivery_id)


@shared_task
def deliver_due_webhooks() -> None:
    """Hand out what is due: repeats, and what a killed worker or a broker that was away left (beat)."""
    for delivery_id in deliver.due():
        deliver_webhook.delay(delivery_id)


@shared_task
def forget_old_webhooks() -> None:
    """Delete events that were kept long enough (beat, daily)."""
    deliver.forget_old()


@shared_task
def end_overdue_help() -> None:
    """Write the end of looks at the site whose time is over (beat)."""
    end_overdue()
