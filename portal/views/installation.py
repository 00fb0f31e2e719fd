"""The installation's settings, for its staff: what is in effect, and whether mail goes out."""

from smtplib import SMTPException

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.mail import send_mail
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from portal import guard, in_effect, provider_scope

_TEXT = "This message was asked for at the settings page. Mails of {} leave this way."


@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponse:
    provider_scope.demand_staff(request, "nodes.view_node")
    context = provider_scope.context(request, None, "settings") | {
        "groups": in_effect.groups(),
        "mode": settings.GATEHOUSE_MODE,
    }
    return render(request, "provider/settings.html", context)


@require_POST
@login_required
def test_mail(request: HttpRequest) -> HttpResponse:
    """Send herself a mail now, not by a task, to tell what the mail server says."""
    provider_scope.demand_staff(request, "nodes.view_node")
    address = guard.person(request).email
    try:
        send_mail("A test of mail", _TEXT.format(settings.PORTAL_URL), None, [address])
    except (SMTPException, OSError) as error:
        messages.error(request, f"The mail could not be sent: {error}. See EMAIL_URL.")
    else:
        messages.success(request, f"Sent to {address}. If it does not come, ask your mail server's log.")
    return redirect("installation-settings")
