"""Mails to a developer about a provider's answer to what she asked for."""

from django.conf import settings

from access.models import Subscription
from accounts.mail import mail_address, mail_organization
from accounts.models import AuditEvent, Member, User


def asker_of(subscription: Subscription) -> User | None:
    """Who asked for what waits: a change's audit line knows, a new subscription itself."""
    if not subscription.next_plan_waits:
        return subscription.created_by
    asked = AuditEvent.objects.filter(
        target_kind="subscription", target_id=subscription.pk, action="subscription.change_planned"
    )
    newest = asked.select_related("actor").first()
    return newest.actor if newest else None


def tell_asker(subscription: Subscription, asker: User | None, *, subject: str, text: str) -> None:
    """Write to who asked while she is still there, else to the organization; sent after commit."""
    address = f"{settings.PORTAL_URL}/console/applications/{subscription.application_id}/"
    text = f"{text}\n\n{address}\n"
    there = Member.objects.filter(user=asker, organization=subscription.organization_id)
    if asker is not None and asker.is_active and there.exists():
        mail_address(asker.email, subject=subject, text=text)
    else:
        mail_organization(subscription.organization, subject=subject, text=text)
