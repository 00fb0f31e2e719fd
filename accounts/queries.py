"""What others may ask of this room."""

from django.db.models import F, QuerySet

from accounts.models import AuditEvent, Member, Organization, User


def organizations_of(user: User) -> QuerySet[Organization]:
    """The organizations a person is a member of, by name, with her role in each (`own_role`)."""
    mine = Organization.objects.filter(members__user=user)
    return mine.annotate(own_role=F("members__role")).order_by("name")


def members_of(organization: Organization) -> QuerySet[Member]:
    """The members with their users, first come first."""
    return organization.members.select_related("user")


def audit_trail(organization: Organization) -> QuerySet[AuditEvent]:
    """Who changed what in the organization, newest first."""
    return organization.audit_events.all()
