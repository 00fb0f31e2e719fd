"""The organization: its name, its people, and which one she works in."""

from typing import Any

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.helping.consent import consent_of
from accounts.models import Member, Organization, Role
from accounts.organizations import (
    change_organization,
    change_role,
    create_organization,
    remove_member,
)
from accounts.permissions import belongs, can_administer, can_give_role, can_hand_over
from accounts.queries import members_of
from accounts.teams.invitations import invite_member, waiting_invitations
from accounts.teams.ownership import offer_of
from accounts.telling import refusal_as_message
from billing.leaving.close import KEPT, REMOVED, close_organization
from billing.leaving.obstacles import obstacles
from portal import guard
from portal.forms.helping import ConsentForm
from portal.forms.organization import (
    CloseForm,
    InvitationForm,
    NewOrganizationForm,
    OrganizationForm,
    RoleForm,
)
from portal.refusals import refusals_to
from portal.views.questions import ask
from portal.views.subscribe import WANTED


@guard.in_organization()
def page(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Two forms on one page; the button pressed says which one was sent."""
    posted = request.POST.get("form", "") if request.method == "POST" else ""
    details = OrganizationForm(request.POST if posted == "details" else None, organization=organization)
    may_make_owners = can_give_role(request.user, organization, Role.OWNER)
    invitation = InvitationForm(request.POST if posted == "member" else None, may_make_owners=may_make_owners)
    if posted:
        guard.demand(can_administer, request, organization)
        saved = _save(request, organization, details, invitation)
        if saved is not None:
            return saved
    context = {
        "section": "console",
        "page": "organization",
        "details": details,
        "invitation": invitation,
        "members": list(members_of(organization)),
        "roles": Role.choices,
        "may_administer": can_administer(request.user, organization),
        "invited": waiting_invitations(organization),
        "offer": offer_of(organization),
        "may_hand_over": can_hand_over(request.user, organization),
        "consent": consent_of(organization),
        "consent_form": ConsentForm(),
    }
    return render(request, "console/organization.html", context)


def _save(
    request: HttpRequest, organization: Organization, details: OrganizationForm, invitation: InvitationForm
) -> HttpResponse | None:
    actor = guard.person(request)
    if details.is_bound and details.is_valid():
        with refusals_to(details):
            change_organization(organization=organization, actor=actor, **details.cleaned_data)
            messages.success(request, "Saved.")
            return redirect("organization")
    if invitation.is_bound and invitation.is_valid():
        email, role = invitation.cleaned_data["email"], invitation.cleaned_data["role"]
        demand_role(request, organization, role)
        with refusals_to(invitation):
            invite_member(organization=organization, email=email, role=role, actor=actor)
            messages.success(request, f"We have sent {email} an invitation.")
            return redirect("organization")
    return None


@login_required
def create(request: HttpRequest) -> HttpResponse:
    """A first organization, or one more."""
    form = NewOrganizationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            person = guard.person(request)
            made = create_organization(name=form.cleaned_data["name"], owner=person, actor=person)
            request.session[guard.SESSION_KEY] = made.pk
            wanted = request.session.pop(WANTED, None)
            return redirect("subscribe", plan=wanted) if wanted else redirect("console")
    return render(request, "console/organization_new.html", {"section": "console", "form": form})


@guard.in_organization(can_hand_over)
@reauthentication_required
def close(request: HttpRequest, organization: Organization) -> HttpResponse:
    """What stands in the way, what is kept and what goes; then, with its name typed, its end."""
    found = obstacles(organization)
    form = CloseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            close_organization(
                organization=organization, name=form.cleaned_data["name"], actor=guard.person(request)
            )
            request.session.pop(guard.SESSION_KEY, None)
            messages.success(request, f"{organization} is closed.")
            return redirect("home")
    context = {"section": "console", "page": "organization", "form": form, "obstacles": found}
    return render(request, "console/organization_close.html", context | {"kept": KEPT, "removed": REMOVED})


@require_POST
@login_required
def switch(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("organization", "")
    found = next((each for each in guard.organizations(request) if each.pk == wanted), None)
    if found is None:
        raise Http404("not her organization")
    request.session[guard.SESSION_KEY] = found.pk
    messages.success(request, f"You now work in {found}.")
    return redirect("console")


@require_POST
@guard.in_organization(can_administer)
def role(request: HttpRequest, organization: Organization, pk: int) -> HttpResponse:
    member = _member(organization, pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the roles.")
        return redirect("organization")
    wanted = form.cleaned_data["role"]
    demand_role(request, organization, wanted)
    demand_role(request, organization, member.role)
    with refusal_as_message(request):
        change_role(member=member, role=wanted, actor=guard.person(request))
        messages.success(request, f"{member.user} is {wanted} now.")
    return redirect("organization")


@guard.in_organization(belongs)
def remove(request: HttpRequest, organization: Organization, pk: int) -> HttpResponse:
    """Take somebody out; everybody may leave."""
    member = _member(organization, pk)
    leaving = member.user_id == request.user.pk
    if not leaving:
        guard.demand(can_administer, request, organization)
        demand_role(request, organization, member.role)
    words: dict[str, Any] = {
        "question": f"Leave {organization}?" if leaving else f"Remove {member.user} from {organization}?",
        "consequence": "Tokens made for this organization end at once. Applications and keys stay.",
        "action": "Leave" if leaving else "Remove",
        "done": f"You left {organization}." if leaving else f"{member.user} is removed.",
    }
    return ask(
        request,
        **words,
        back=reverse("console") if leaving and request.method == "POST" else reverse("organization"),
        act=lambda: remove_member(member=member, actor=guard.person(request)),
        page="organization",
    )


def _member(organization: Organization, pk: int) -> Member:
    return get_object_or_404(Member.objects.select_related("user"), organization=organization, pk=pk)


def demand_role(request: HttpRequest, organization: Organization, wanted: str) -> None:
    """403 unless she may give or take this role."""
    if not can_give_role(request.user, organization, wanted):
        raise PermissionDenied("Only an owner can make or unmake owners.")
