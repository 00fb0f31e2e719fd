"""Beginning and ending a look at the site as somebody else. Begin and end stand in both audit trails: the
organization's, and the installation's (lines without an organization)."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.helping.consent import consent_of
from accounts.helping.models import HelpSession
from accounts.models import Member, Organization, User
from accounts.rows import locked
from accounts.texts import reason_of

LASTS = timedelta(minutes=30)


def can_help(user: User) -> bool:
    """Whether she may look at the site as others see it: staff with that permission."""
    return user.is_active and user.is_staff and user.has_perm("accounts.add_helpsession")


def may_be_looked_at(person: User) -> bool:
    """Nobody sees the site as other staff do: their rights are not hers to borrow."""
    return person.is_active and not (person.is_staff or person.is_superuser)


@transaction.atomic
def begin_help(
    *, staff: User, person: User, organization: Organization, reason: str, acts: bool = False
) -> HelpSession:
    """Let `staff` see the site as `person` sees it in `organization`, for half an hour at most.

    With `acts` she makes changes, too, while the organization allows it (consent.py). An earlier look of hers ends.
    Refused (fields `person`, `reason`, `acts`) for other staff, who is no member, without a reason, and for changes
    that the organization does not allow.
    """
    reason = reason_of(reason)
    if not may_be_looked_at(person):
        raise Refused(f"Nobody may see the site as {person} does.", field="person")
    if not Member.objects.filter(user=person, organization=organization).exists():
        raise Refused(f"{person} is no member of {organization}.", field="person")
    if acts and consent_of(organization) is None:
        raise Refused(
            f"{organization} does not let staff make changes. Its owner or admin can, at Organization.",
            field="acts",
        )
    for earlier in HelpSession.objects.filter(staff=staff, ended_at=None):
        end_help(session=earlier, actor=staff)
    began = now()
    made = HelpSession.objects.create(
        organization=organization,
        person=person,
        staff=staff,
        reason=reason,
        acts=acts,
        began_at=began,
        ends_at=began + LASTS,
    )
    how = "making changes" if acts else "reading only"
    _record(made, staff, "began", f"Began to see the site as {person} does, {how}: {reason}")
    return made


@transaction.atomic
def end_help(*, session: HelpSession, actor: User | None, at: datetime | None = None) -> HelpSession:
    """End it; nothing happens if it has ended."""
    session = locked(session)
    if session.ended_at is None:
        session.ended_at = min(at or now(), session.ends_at)
        session.save(update_fields=["ended_at"])
        minutes = round((session.ended_at - session.began_at) / timedelta(minutes=1))
        _record(session, actor, "ended", f"Stopped to see the site as {session.person} after {minutes} min.")
    return session


def end_overdue(at: datetime | None = None) -> int:
    """End those whose time is over; return how many."""
    overdue = HelpSession.objects.filter(ended_at=None, ends_at__lte=at or now())
    return len([end_help(session=each, actor=each.staff, at=at) for each in overdue.select_related("staff")])


def running(session_id: str, staff: User) -> HelpSession | None:
    """Return the session if it still holds: not over, its person still a member and no staff. 2 queries, or 3.

    `acts` is false where the organization allows no changes any more.
    """
    rows = HelpSession.objects.select_related("person", "organization", "staff")
    found = rows.filter(pk=session_id, staff=staff, ended_at=None).first()
    if found is None:
        return None
    member = Member.objects.filter(user=found.person, organization=found.organization)
    if found.ends_at <= now() or not (can_help(staff) and may_be_looked_at(found.person) and member.exists()):
        end_help(session=found, actor=staff)
        return None
    found.acts = found.acts and consent_of(found.organization) is not None
    return found


def _record(session: HelpSession, actor: User | None, what: str, summary: str) -> None:
    for organization in (session.organization, None):
        record(
            organization=organization,
            actor=actor,
            action=f"help.{what}",
            target=session,
            summary=summary,
        )
