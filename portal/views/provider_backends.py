"""A provider's backends: their servers, timeouts, retries, and a test."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.errors import Refused
from accounts.models import Organization
from accounts.permissions import can_manage
from apis.backend_forms import field_at, settings_of
from apis.backend_probe import Probe, probe
from apis.backends import change_backend, create_backend
from apis.models import Backend
from portal import guard, provider_scope
from portal.forms.versions import BackendForm
from portal.publishing import scope


@login_required
def listing(request: HttpRequest) -> HttpResponse:
    organization = provider_scope.chosen(request)
    rows = organization.backends.prefetch_related("api_versions__api")
    context = scope.context(request, organization, backends=list(rows), page="backends")
    return render(request, "provider/backends.html", context)


@login_required
def create(request: HttpRequest) -> HttpResponse:
    organization = provider_scope.chosen(request)
    guard.demand(can_manage, request, organization)
    return _form_page(request, organization, None)


@login_required
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    """Changes hold at once, on every stage that uses it."""
    row = scope.backend(request, pk, change=True)
    return _form_page(request, row.organization, row)


def _form_page(request: HttpRequest, organization: Organization, row: Backend | None) -> HttpResponse:
    new = Backend(organization=organization)
    form = BackendForm(request.POST or None, instance=row or new)
    tried: Probe | None = None
    if request.method == "POST" and form.is_valid():
        try:
            if request.POST.get("do") == "probe":
                tried = probe(form.cleaned_data["url"])
            else:
                saved = _save(request, organization, row, form.cleaned_data)
                messages.success(request, f"Saved the backend {saved.name}.")
                return redirect(f"{reverse('backends')}?organization={organization.pk}")
        except Refused as refused:
            field = field_at(refused.field)
            form.add_error(field if field in form.fields else None, refused.message)
    context = scope.context(request, organization, form=form, backend=row, tried=tried, page="backends")
    return render(request, "provider/backend.html", context)


def _save(
    request: HttpRequest, organization: Organization, row: Backend | None, data: dict[str, Any]
) -> Backend:
    settings, actor = settings_of(data, row), guard.person(request)
    if row is None:
        return create_backend(organization=organization, actor=actor, **settings)
    return change_backend(backend=Backend.objects.get(pk=row.pk), actor=actor, **settings)
