"""Who changed what in the organization."""

from django.http import HttpRequest, HttpResponseBase

from accounts.models import Organization
from accounts.queries import audit_trail
from portal import audit_page, guard


@guard.in_organization()
def page(request: HttpRequest, organization: Organization) -> HttpResponseBase:
    return audit_page.answer(
        request,
        template="console/audit.html",
        events=audit_trail(organization),
        context={"section": "console", "page": "audit"},
    )
