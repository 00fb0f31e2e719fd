"""The team: invitations that wait, and handing the organization over."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.models import Organization
from accounts.permissions import can_administer, can_hand_over, membership
from accounts.teams.invitations import resend_invitation, withdraw_member_invitation
from accounts.teams.models import MemberInvitation, OwnershipOffer
from accounts.teams.ownership import accept_ownership, end_offer, offer_of, offer_ownership
from accounts.telling import refusal_as_message
from portal import guard
from portal.forms.organization import TransferForm
from portal.refusals import refusals_to
from portal.views.console_organization import demand_role
from portal.views.questions import ask

PAGE = {"section": "console", "page": "organization"}


@require_POST
@guard.in_organization(can_administer)
def resend(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    invitation = guard.own(MemberInvitation, organization, pk)
    demand_role(request, organization, invitation.role)
    with refusal_as_message(request):
        resend_invitation(invitation=invitation, actor=guard.person(request))
        messages.success(
            request, f"We have sent {invitation.email} a new link. The one before no longer works."
        )
    return redirect("organization")


@guard.in_organization()
def withdraw(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    invitation = guard.own(MemberInvitation, organization, pk)
    guard.demand(can_administer, request, organization)
    return ask(
        request,
        question=f"Withdraw the invitation of {invitation.email}?",
        consequence="The link in the mail stops working. You can invite this address again.",
        action="Withdraw",
        back=reverse("organization"),
        act=lambda: withdraw_member_invitation(invitation=invitation, actor=guard.person(request)),
        done=f"The invitation of {invitation.email} is withdrawn.",
        page="organization",
    )


@guard.in_organization(can_hand_over)
@reauthentication_required
def offer(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Choose the new owner, who must accept."""
    owner = membership(request.user, organization)
    if owner is None:
        raise PermissionDenied("Only an owner can hand the organization over.")
    form = TransferForm(request.POST or None, organization=organization)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            member = form.cleaned_data["member"]
            offer_ownership(organization=organization, member=member, owner=owner)
            messages.success(
                request, f"{member.user} was asked. You own {organization} until the offer is accepted."
            )
            return redirect("organization")
    return render(request, "console/ownership_offer.html", PAGE | {"form": form})


@guard.in_organization()
@reauthentication_required
def accept(request: HttpRequest, organization: Organization) -> HttpResponse:
    found = _offer(organization)
    if found.offered_to.user_id != request.user.pk:
        raise PermissionDenied("This offer is for somebody else.")
    giver = found.offered_by.user
    return ask(
        request,
        question=f"Become the owner of {organization}?",
        consequence=f"You answer for its APIs, its members and its bills. {giver} becomes an admin.",
        action="Become the owner",
        back=reverse("organization"),
        act=lambda: accept_ownership(offer=found, user=guard.person(request)),
        done=f"You own {organization} now.",
        page="organization",
        button_class="button--primary",
    )


@guard.in_organization()
def end(request: HttpRequest, organization: Organization) -> HttpResponse:
    """Decline, or withdraw."""
    found = _offer(organization)
    declines = found.offered_to.user_id == request.user.pk
    if not declines:
        guard.demand(can_hand_over, request, organization)
    return ask(
        request,
        question=f"Decline {organization}?"
        if declines
        else f"Withdraw the offer to {found.offered_to.user}?",
        consequence="Its owner stays its owner." if declines else "You stay the owner.",
        action="Decline" if declines else "Withdraw",
        back=reverse("organization"),
        act=lambda: end_offer(offer=found, actor=guard.person(request)),
        done="You declined." if declines else "The offer is withdrawn.",
        page="organization",
    )


def _offer(organization: Organization) -> OwnershipOffer:
    found = offer_of(organization)
    if found is None:
        raise Http404("nothing is offered")
    return found
