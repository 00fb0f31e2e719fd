"""Health, robots, the icon, and the pages for what went wrong."""

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from portal import metrics as portal_metrics

ROBOTS = """User-agent: *
Disallow: /console/
Disallow: /provider/
Disallow: /accounts/
Disallow: /admin/
Disallow: /invitations/
Disallow: /api/
Disallow: /nodes/
Disallow: /outbox/
Disallow: /metrics
"""
NO_METRICS = "Send 'Authorization: Bearer ...' with GATEHOUSE_METRICS_TOKEN, or sign in as staff.\n"


@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when the database answers, else 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "unavailable", "database": "does not answer"}, status=503)
    return JsonResponse({"status": "ok", "database": "answers"})


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, with the operator's token; for staff who may see nodes, in the browser."""
    if not _may_read_metrics(request):
        answer = HttpResponse(NO_METRICS, status=401, content_type="text/plain; charset=utf-8")
        answer["WWW-Authenticate"] = 'Bearer realm="Gatehouse metrics"'
        return answer
    return HttpResponse(portal_metrics.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_read_metrics(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    token = settings.METRICS_TOKEN
    if token and scheme.lower() == "bearer":
        return constant_time_compare(given.strip(), token)
    user = request.user
    return user.is_authenticated and user.is_staff and user.has_perm("nodes.view_node")


def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse(ROBOTS, content_type="text/plain; charset=utf-8")


def favicon(request: HttpRequest) -> HttpResponse:
    return redirect(static("img/logo.svg"), permanent=True)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", {"reason": str(exception or "")}, status=403)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "404.html", status=404)


def failed(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: whatever broke may be in the session or the database."""
    return render(None, "500.html", status=500)
