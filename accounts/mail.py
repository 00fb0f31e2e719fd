"""Mail to an organization, sent after commit by a worker: a mail server that hangs holds up nobody's click."""

import logging
from functools import partial

from django.db import transaction

from accounts.models import Organization, Role
from accounts.sentences import one_dot

logger = logging.getLogger(__name__)


def recipients_of(organization: Organization) -> list[str]:
    """Return the billing address, or else the owners' own addresses."""
    if organization.billing_email:
        return [organization.billing_email]
    owners = organization.members.filter(role=Role.OWNER, user__is_active=True)
    return list(owners.order_by("created_at").values_list("user__email", flat=True))


def mail_organization(organization: Organization, *, subject: str, text: str) -> None:
    """Send a plain text once the transaction commits. A line break in the subject becomes a blank."""
    transaction.on_commit(partial(_enqueue, organization.pk, " ".join(subject.split()), one_dot(text)))


def mail_address(address: str, *, subject: str, text: str) -> None:
    """Send a plain text to one address, of somebody who may not have an account, once the transaction commits."""
    transaction.on_commit(partial(_enqueue_to_address, address, " ".join(subject.split()), one_dot(text)))


def _enqueue_to_address(address: str, subject: str, text: str) -> None:
    from accounts.tasks import send_mail_to_address  # noqa: PLC0415 -- tasks import this room

    try:
        send_mail_to_address.delay(address, subject, text)
    except Exception as error:  # noqa: BLE001 -- as below
        logger.warning("The broker cannot be reached (%s); a mail is sent without it.", error)
        send_mail_to_address(address, subject, text)


def _enqueue(organization_id: str, subject: str, text: str) -> None:
    from accounts.tasks import send_mail_to  # noqa: PLC0415 -- tasks import this room

    try:
        send_mail_to.delay(organization_id, subject, text)
    except Exception as error:  # noqa: BLE001 -- the broker is away: sent here and now instead
        logger.warning("The broker cannot be reached (%s); a mail is sent without it.", error)
        send_mail_to(organization_id, subject, text)
