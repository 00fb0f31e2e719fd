"""The page behind the link of an invitation."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache

from accounts.adapter import INVITATION
from accounts.errors import Refused
from accounts.models import User
from accounts.teams.invitations import accept_invitation, find_invitation, is_for
from accounts.teams.models import InvitationState, MemberInvitation
from portal import guard


@never_cache
def page(request: HttpRequest, secret: str) -> HttpResponse:
    """Who invites whom to what; one button. A visitor signs in or up first and comes back."""
    invitation = find_invitation(secret)
    if invitation is None:
        return _shown(request, None, "unknown", status=404)
    if invitation.state != InvitationState.OPEN:
        return _shown(request, invitation, invitation.state, status=410)
    if not isinstance(request.user, User):
        # her way in, also where sign-up is closed
        request.session[INVITATION] = secret
        return _shown(request, invitation, "visitor")
    if not is_for(invitation, request.user):
        return _shown(request, invitation, "other", status=403)
    if request.method == "POST":
        return _accept(request, invitation)
    return _shown(request, invitation, "open")


def _accept(request: HttpRequest, invitation: MemberInvitation) -> HttpResponse:
    try:
        accept_invitation(invitation=invitation, user=guard.person(request))
    except Refused as refused:
        messages.error(request, refused.message)
        return _shown(request, invitation, "open", status=409)
    request.session.pop(INVITATION, None)
    request.session[guard.SESSION_KEY] = invitation.organization_id
    messages.success(request, f"You are a member of {invitation.organization} now, and work in it.")
    return redirect("console")


def _shown(
    request: HttpRequest, invitation: MemberInvitation | None, what: str, *, status: int = 200
) -> HttpResponse:
    context = {"invitation": invitation, "what": what}
    return render(request, "account/invitation.html", context, status=status)
