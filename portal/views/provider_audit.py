"""A provider's audit trail; for staff of the installation its own lines, and everybody's."""

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase

from accounts.models import AuditEvent, Organization
from accounts.queries import audit_trail
from portal import audit_page, provider_scope

INSTALLATION, EVERYTHING = "installation", "everything"


@login_required
def page(request: HttpRequest) -> HttpResponseBase:
    """`?of=installation`: lines without an organization, `everything`: all; for staff who may see the trail."""
    organization = provider_scope.chosen(request)
    sees_more = request.user.is_staff and request.user.has_perm("accounts.view_auditevent")
    of = request.GET.get("of", "") if sees_more else ""
    return audit_page.answer(
        request,
        template="provider/audit.html",
        events=_events(of, organization),
        context=provider_scope.context(request, organization, "audit") | {"sees_more": sees_more, "of": of},
    )


def _events(of: str, organization: Organization) -> QuerySet[AuditEvent]:
    rows = AuditEvent.objects.select_related("organization")
    if of == EVERYTHING:
        return rows
    if of == INSTALLATION:
        return rows.filter(organization=None)
    return audit_trail(organization)
