"""Permissions by API: which APIs a member sees, changes, or sees the prices of, who is limited to chosen ones."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Member, Organization, Role, User
from accounts.permissions import Person
from accounts.rows import locked
from apis.models import Api, ApiGrant, Backend


@dataclass(frozen=True, slots=True)
class Given:
    """What she may do with an API that she sees."""

    manage: bool = False
    money: bool = False

    @property
    def words(self) -> str:
        """For the audit trail: `see`, `see, manage`."""
        return ", ".join(["see", *(["manage"] if self.manage else []), *(["prices"] if self.money else [])])


@transaction.atomic
def set_grants(*, member: Member, grants: Mapping[Api, Given], actor: User | None) -> list[ApiGrant]:
    """Let a limited member see exactly these APIs.

    Refused (fields `member`, `grants`) if her role is another one, or an API is another organization's.
    """
    locked(member.organization)
    member = locked(member)
    if member.role != Role.LIMITED:
        raise Refused(
            f"{member.user} is {member.get_role_display().lower()} and sees all APIs. Make her limited first.",
            field="member",
            code="wrong_state",
        )
    if any(api.organization_id != member.organization_id for api in grants):
        raise Refused("Choose APIs of this organization only.", field="grants", code="does_not_exist")
    before = _in_words(member)
    member.api_grants.all().delete()
    made = ApiGrant.objects.bulk_create(
        ApiGrant(
            organization=member.organization, member=member, api=api, manage=given.manage, money=given.money
        )
        for api, given in grants.items()
    )
    after = _in_words(member)
    if before != after:
        record(
            organization=member.organization,
            actor=actor,
            action="member.apis_changed",
            target=member,
            summary=f"Changed which APIs {member.user} sees.",
            changes={"apis": [before, after]},
        )
    return made


def grants_of(user: Person, organization: Organization | None = None) -> QuerySet[ApiGrant]:
    """Return what holds for a person now, with API and organization: where she is limited, and what she was given."""
    if not user.is_authenticated or not user.is_active:
        return ApiGrant.objects.none()
    rows = ApiGrant.objects.filter(member__user=user, member__role=Role.LIMITED)
    if organization is not None:
        rows = rows.filter(organization=organization)
    return rows.select_related("api", "organization").order_by("organization__name", "api__name")


def may_change(grant: ApiGrant) -> bool:
    """Whether she may change the API: nothing of a suspended organization is changed."""
    return grant.manage and grant.organization.suspended_at is None


def backends_of(user: Person, organization: Organization) -> QuerySet[Backend]:
    """Where she may send the calls of the APIs that she manages: to what serves one of them already."""
    managed = grants_of(user, organization).filter(manage=True).order_by().values("api")
    return Backend.objects.filter(organization=organization, api_versions__api__in=managed).distinct()


def _in_words(member: Member) -> dict[str, str]:
    rows = member.api_grants.select_related("api").order_by("api__name")
    return {row.api.name: Given(row.manage, row.money).words for row in rows}
