"""Who gets an announcement."""

from django.db.models import Exists, OuterRef, QuerySet

from access.announcements.models import Announcement, AnnouncementKind, Audience, NewsOptOut
from access.models import Subscription
from access.overlap import LIVING
from accounts.models import Member, Role, User

# who pays the bills writes no programs
DEVELOPERS = (Role.OWNER, Role.ADMIN, Role.MEMBER)


def audience_of(announcement: Announcement) -> QuerySet[User]:
    """The people, each once: of organizations with a living subscription to what it is about, who develop there."""
    sold = Subscription.objects.filter(provider=announcement.organization_id, state__in=LIVING)
    if announcement.audience == Audience.API:
        sold = sold.filter(plan__stages__version__api=announcement.api_id)
    elif announcement.audience == Audience.PLAN:
        sold = sold.filter(plan=announcement.plan_id)
    places = Member.objects.filter(
        user=OuterRef("pk"), role__in=DEVELOPERS, organization__in=sold.values("organization")
    )
    people = User.objects.filter(Exists(places), is_active=True).exclude(email="")
    if announcement.kind == AnnouncementKind.NEWS:
        outs = NewsOptOut.objects.filter(organization=announcement.organization_id, user=OuterRef("pk"))
        people = people.filter(~Exists(outs))
    return people.order_by("pk")
