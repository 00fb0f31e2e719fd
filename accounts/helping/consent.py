"""Whether the staff who help an organization may make changes there: it says so itself, for some time."""

from datetime import timedelta

from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.helping.models import HelpConsent
from accounts.models import Organization, User

# hours -> in words
SPANS = {1: "1 hour", 24: "1 day", 168: "7 days"}


def consent_of(organization: Organization) -> HelpConsent | None:
    """Return what the organization allows now; None = nothing. 1 query."""
    return HelpConsent.objects.filter(organization=organization, until__gt=now()).first()


@transaction.atomic
def allow_changes(*, organization: Organization, hours: int, actor: User) -> HelpConsent:
    """Let staff who help make changes for so many `hours` (a key of SPANS), in place of what was allowed before."""
    if hours not in SPANS:
        raise Refused(f"Choose one of {', '.join(SPANS.values())}.", field="hours")
    made, _ = HelpConsent.objects.update_or_create(
        organization=organization,
        defaults={"until": now() + timedelta(hours=hours), "given_by": actor},
    )
    summary = f"Lets the staff of this site make changes to help, for {SPANS[hours]}."
    record(
        organization=organization, actor=actor, action="help.allowed", target=organization, summary=summary
    )
    return made


@transaction.atomic
def withdraw_consent(*, organization: Organization, actor: User) -> None:
    """End it at once; looks that run are reading only from then on. Nothing happens where nothing is allowed."""
    ended, _ = HelpConsent.objects.filter(organization=organization, until__gt=now()).delete()
    if ended:
        summary = "Lets the staff of this site make no more changes."
        record(
            organization=organization,
            actor=actor,
            action="help.withdrawn",
            target=organization,
            summary=summary,
        )
