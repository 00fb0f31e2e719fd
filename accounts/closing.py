"""The end of an organization, as far as this room knows it. `billing.leaving` checks first, and ends the rest."""

from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.billing_group import leave_billing
from accounts.models import ApiToken, Member, Organization, User
from accounts.rows import locked
from accounts.signals import organization_changed, organization_suspended_changed, tokens_changed
from accounts.teams.models import OwnershipOffer
from accounts.webhooks.endpoints import delete_endpoint


@transaction.atomic
def end_organization(*, organization: Organization, actor: User | None) -> Organization:
    """Take its people, tokens, webhooks and name away, and refuse all calls. There is no way back."""
    organization = locked(organization)
    if organization.billing_parent_id or organization.asked_billing_parent_id:
        organization = leave_billing(child=organization, actor=actor)
    for endpoint in organization.webhook_endpoints.all():
        delete_endpoint(endpoint=endpoint, actor=actor)
    moment, name = now(), organization.name
    organization.member_invitations.filter(accepted_at=None, withdrawn_at=None).update(withdrawn_at=moment)
    OwnershipOffer.objects.filter(organization=organization).delete()
    tokens = ApiToken.objects.filter(organization=organization, revoked_at=None)
    ended = list(tokens.values_list("pk", flat=True))
    tokens.update(revoked_at=moment)
    members = Member.objects.filter(organization=organization)
    who = ", ".join(str(each.user) for each in members.select_related("user").order_by("pk"))
    members.delete()
    organization.name, organization.slug = (
        f"Closed organization {organization.pk}",
        f"closed-{organization.pk}",
    )
    organization.billing_email = ""
    organization.closed_at = moment
    organization.suspended_at = organization.suspended_at or moment
    organization.save(update_fields=["name", "slug", "billing_email", "closed_at", "suspended_at"])
    record(
        organization=organization,
        actor=actor,
        action="organization.closed",
        target=organization,
        summary=f"Closed the organization {name}; its members were {who}.",
    )
    tokens_changed.send(ApiToken, token_ids=ended)
    organization_changed.send(Organization, organization_ids=[organization.pk])
    organization_suspended_changed.send(Organization, organization_ids=[organization.pk])
    return organization
