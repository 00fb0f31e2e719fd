"""Organizations and their members."""

from itertools import count
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction
from django.utils.text import slugify
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import ApiToken, Member, Organization, Role, User
from accounts.rows import assign, check_fields, locked, taken_is_refused
from accounts.signals import organization_changed, organization_suspended_changed, tokens_changed
from accounts.webhooks.emit import emit

CHANGEABLE = ("name", "slug", "billing_email", "timezone")
SLUG_LENGTH = 60


@transaction.atomic
def create_organization(
    *, name: str, owner: User, actor: User | None, timezone: str = "UTC", billing_email: str = ""
) -> Organization:
    """Make an organization with its owner; the slug is made from the name."""
    organization = Organization(
        name=name.strip(), slug=_free_slug(name), timezone=timezone, billing_email=billing_email
    )
    _check(organization)
    with taken_is_refused("Somebody just took this name's address; try again.", field="name"):
        organization.save(force_insert=True)
    Member.objects.create(organization=organization, user=owner, role=Role.OWNER)
    record(
        organization=organization,
        actor=actor,
        action="organization.created",
        target=organization,
        summary=f"Made the organization {organization}, owned by {owner}.",
    )
    return organization


@transaction.atomic
def change_organization(*, organization: Organization, actor: User | None, **fields: Any) -> Organization:
    """Change `name`, `slug`, `billing_email` or `timezone`."""
    organization = locked(organization)
    changes = assign(organization, fields, allowed=CHANGEABLE)
    if not changes:
        return organization
    _check(organization)
    with taken_is_refused(f"The slug {organization.slug} is taken; choose another.", field="slug"):
        organization.save(update_fields=changes)
    record(
        organization=organization,
        actor=actor,
        action="organization.changed",
        target=organization,
        summary=f"Changed {', '.join(changes)} of {organization}.",
        changes=changes,
    )
    if "name" in changes:
        organization_changed.send(Organization, organization_ids=[organization.pk])
    return organization


@transaction.atomic
def add_member(*, organization: Organization, user: User, role: str, actor: User | None) -> Member:
    """Give a person a place in the organization; Refused if she has one or the role is unknown."""
    member = Member(organization=organization, user=user, role=_known(role))
    with taken_is_refused(f"{user} is a member already; change her role instead.", field="user"):
        member.save()
    _record_member(member, actor, "member.added", f"Added {user} as {member.role}.", [None, member.role])
    return member


@transaction.atomic
def change_role(*, member: Member, role: str, actor: User | None) -> Member:
    """Refused if it would leave the organization without an owner."""
    locked(member.organization)
    member = locked(member)
    old = member.role
    if _known(role) == old:
        return member
    _keep_an_owner(member, "Make somebody else an owner first.", field="role")
    member.role = role
    member.save(update_fields=["role"])
    _record_member(
        member, actor, "member.changed", f"Changed {member.user} from {old} to {role}.", [old, role]
    )
    if Role.LIMITED in (old, role):
        _tokens_changed(member)
    return member


@transaction.atomic
def remove_member(*, member: Member, actor: User | None) -> None:
    """Take a person out (or let her leave) and revoke her tokens here; the last owner stays."""
    locked(member.organization)
    member = locked(member)
    _keep_an_owner(member, "Make somebody else an owner first.", field="")
    hers = ApiToken.objects.filter(organization=member.organization, user=member.user, revoked_at=None)
    ended = list(hers.values_list("pk", flat=True))
    hers.update(revoked_at=now())
    summary = f"Removed {member.user} and revoked her tokens."
    _record_member(member, actor, "member.removed", summary, [member.role, None])
    member.delete()
    if ended:
        tokens_changed.send(ApiToken, token_ids=ended)


@transaction.atomic
def suspend(*, organization: Organization, actor: User | None) -> Organization:
    """Refuse every key of the organization, and every call to its own APIs, until it is resumed."""
    organization = locked(organization)
    if organization.suspended_at is not None:
        raise Refused(f"{organization} is already suspended.", code="wrong_state")
    organization.suspended_at = now()
    return _save_suspension(organization, actor, "organization.suspended", f"Suspended {organization}.")


@transaction.atomic
def resume(*, organization: Organization, actor: User | None) -> Organization:
    """Let the keys of a suspended organization, and its APIs, work again."""
    organization = locked(organization)
    if organization.suspended_at is None:
        raise Refused(f"{organization} is not suspended.", code="wrong_state")
    if organization.closed_at is not None:
        raise Refused(f"{organization} was closed for good. Make a new one.", code="wrong_state")
    organization.suspended_at = None
    return _save_suspension(organization, actor, "organization.resumed", f"Resumed {organization}.")


def _save_suspension(
    organization: Organization, actor: User | None, action: str, summary: str
) -> Organization:
    organization.save(update_fields=["suspended_at"])
    record(organization=organization, actor=actor, action=action, target=organization, summary=summary)
    organization_suspended_changed.send(Organization, organization_ids=[organization.pk])
    return organization


def _check(organization: Organization) -> None:
    check_fields(organization)
    if organization.timezone not in available_timezones():
        raise Refused(
            f"{organization.timezone} is not a time zone; use an IANA name such as Europe/Berlin.",
            field="timezone",
        )


def _free_slug(name: str) -> str:
    """Return a slug that no organization has: `acme`, else `acme-2`, `acme-3` …"""
    base = slugify(name)[:SLUG_LENGTH].strip("-") or "organization"
    taken = set(
        Organization.objects.filter(slug__startswith=base[:-6] or base).values_list("slug", flat=True)
    )
    if base not in taken:
        return base
    tails = (f"-{number}" for number in count(2))
    return next(slug for tail in tails if (slug := base[: SLUG_LENGTH - len(tail)] + tail) not in taken)


def _tokens_changed(member: Member) -> None:
    """Gateways let those ask about keys who see the whole organization."""
    hers = ApiToken.objects.filter(organization=member.organization, user=member.user)
    if ids := list(hers.values_list("pk", flat=True)):
        tokens_changed.send(ApiToken, token_ids=ids)


def _known(role: str) -> str:
    if role not in Role.values:
        raise Refused(f"{role} is not a role; use one of {', '.join(Role.values)}.", field="role")
    return role


def _keep_an_owner(member: Member, way_out: str, *, field: str) -> None:
    """The organization's row is locked by the caller, so two owners cannot leave at the same moment."""
    others = Member.objects.filter(organization=member.organization, role=Role.OWNER).exclude(pk=member.pk)
    if member.role == Role.OWNER and not others.exists():
        raise Refused(
            f"{member.user} is the last owner of {member.organization}. {way_out}",
            field=field,
            code="last_owner",
        )


def _record_member(
    member: Member, actor: User | None, action: str, summary: str, role: list[str | None]
) -> None:
    record(
        organization=member.organization,
        actor=actor,
        action=action,
        target=member,
        summary=summary,
        changes={"role": role},
    )
    told = {"member": member.pk, "email": member.user.email, "role": role[1], "old_role": role[0]}
    emit(member.organization, action, told)
