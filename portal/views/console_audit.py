"""Who changed what in the organization."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import Organization
from accounts.queries import audit_trail
from portal import guard

PER_PAGE = 50


@guard.in_organization()
def page(request: HttpRequest, organization: Organization) -> HttpResponse:
    events = Paginator(audit_trail(organization), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "console/audit.html", {"section": "console", "page": "audit", "events": events})
