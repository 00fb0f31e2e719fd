"""The way to another provider's sign-in page."""

from allauth.account.internal.decorators import login_not_required
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialApp
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST


@require_POST
@never_cache
@login_not_required
def go(request: HttpRequest, provider: str) -> HttpResponse:
    """Begin to sign in, or (`process=connect`) to connect an account, and lead on by a page.

    A page, not a redirect: our content security policy lets no form of ours lead to another site.
    """
    try:
        found = get_adapter().get_provider(request, provider)
    except SocialApp.DoesNotExist as error:
        raise Http404("no such provider") from error
    process = "connect" if request.POST.get("process") == "connect" else "login"
    if process == "connect" and not request.user.is_authenticated:
        return redirect("account_login")
    following = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(following, allowed_hosts={request.get_host()}):
        following = ""
    answer = found.redirect(request, process=process, next_url=following or None)
    if answer.status_code != 302:
        return answer
    context = {"provider": found.name, "address": answer["Location"]}
    return render(request, "socialaccount/going.html", context)
