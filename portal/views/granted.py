"""The APIs of a member who is limited to chosen ones, and who chooses them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.models import Member, Organization, Role
from accounts.permissions import can_administer
from apis.grants import set_grants
from portal import guard, provider_scope, rate_cards
from portal.forms.grants import GrantsForm
from portal.refusals import refusals_to


@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """What she was given, with what she may do, and the prices that she sees."""
    grants = provider_scope.granted(request)
    context = provider_scope.context(request, None, "granted") | {
        "grants": grants,
        "cards": rate_cards.cards_for(grants),
    }
    return render(request, "provider/granted.html", context)


@guard.in_organization(can_administer)
def choose(request: HttpRequest, organization: Organization, pk: int) -> HttpResponse:
    """Which APIs a limited member sees, changes, or sees the prices of."""
    members = Member.objects.select_related("user", "organization")
    member = get_object_or_404(members, pk=pk, organization=organization)
    form = GrantsForm(request.POST or None, member=member)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            set_grants(member=member, grants=form.values(), actor=guard.person(request))
            messages.success(request, "Saved.")
            return redirect("organization")
    context = {"section": "console", "page": "organization", "member": member, "form": form}
    context["limited"] = member.role == Role.LIMITED
    return render(request, "console/member_apis.html", context)
