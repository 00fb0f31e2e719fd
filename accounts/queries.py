"""What others may ask of this room."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import AuditEvent, BillingMembership, Member, Organization, User


def organizations_of(user: User) -> QuerySet[Organization]:
    """The organizations a person is a member of, by name."""
    return Organization.objects.filter(members__user=user).order_by("name")


def members_of(organization: Organization) -> QuerySet[Member]:
    """The members with their users, first come first."""
    return organization.members.select_related("user")


def audit_trail(organization: Organization) -> QuerySet[AuditEvent]:
    """Who changed what in the organization, newest first."""
    return organization.audit_events.all()


def payers_at(organization_ids: Collection[str], at: datetime) -> dict[str, str]:
    """Return who pays for each of these organizations at a moment: organization id -> payer's id. One query.

    Of a month, the payer is who pays just before its end: ask with the month's end as `at`.
    """
    payers = {pk: pk for pk in organization_ids}
    rows = BillingMembership.objects.filter(_open_at(at), organization__in=organization_ids)
    payers.update(rows.order_by("joined_at").values_list("organization", "parent"))
    return payers


def paid_for_at(payer_ids: Collection[str], at: datetime) -> dict[str, list[str]]:
    """Return whom each of these pays for besides itself at a moment: payer's id -> organizations' ids. One query."""
    found: dict[str, list[str]] = {pk: [] for pk in payer_ids}
    rows = BillingMembership.objects.filter(_open_at(at), parent__in=payer_ids)
    for child, parent in rows.order_by("joined_at").values_list("organization", "parent"):
        found[parent].append(child)
    return found


def _open_at(at: datetime) -> Q:
    return Q(joined_at__lt=at) & (Q(left_at=None) | Q(left_at__gte=at))
