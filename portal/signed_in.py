"""What each request of somebody signed in goes through: her session is noted, her second factor asked for."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.models import User
from accounts.second_factors import factors_of, is_demanded_of
from accounts.sessions import note_session
from apis.models import Api

GetResponse = Callable[[HttpRequest], HttpResponse]
# what nobody enters without the factor that is asked of her
GUARDED = ("/console/", "/provider/", "/admin/", "/subscribe/", "/invitations/")
# the page on which she gets one
OPEN = ("/console/security/",)
DEMAND = "This site asks for a second factor. Add a passkey or an authenticator app to go on."


class Sessions:
    """Keep the list of sessions."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith(GUARDED) and request.user.is_authenticated:
            note_session(request)
        return self.get_response(request)


class SecondFactor:
    """Send whoever lacks a factor that GATEHOUSE_REQUIRE_MFA asks for to the page where she gets one."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.GATEHOUSE_REQUIRE_MFA and self._lacks(request):
            messages.warning(request, DEMAND)
            return redirect("security")
        return self.get_response(request)

    def _lacks(self, request: HttpRequest) -> bool:
        if not request.path.startswith(GUARDED) or request.path.startswith(OPEN):
            return False
        user = request.user
        if not isinstance(user, User) or factors_of(user).exists():
            return False
        return is_demanded_of(user, provides=_provides(user))


def _provides(user: User) -> bool:
    return (
        "providers" in settings.GATEHOUSE_REQUIRE_MFA
        and Api.objects.filter(organization__members__user=user).exists()
    )
