"""The installation's own look: colours, logo and pages."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.branding.models import Branding, SitePage
from accounts.drafts.keep import with_draft
from portal import preview

# pages name the version in the address, so what was fetched once holds
KEPT_SECONDS = 30 * 24 * 3600
# an SVG may hold scripts, which an <img> never runs; this is for who opens its address
LOGO_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
LIGHT = """  --accent-fill: {0};
  --accent-fill-strong: color-mix(in srgb, {0} 82%, black);
"""
BUILT_IN = {"accent_light": "#2a55c9", "accent_dark": "#93b2ff"}


@require_safe
def styles(request: HttpRequest) -> HttpResponse:
    """The accents as tokens over those of static/css/tokens.css; a preview's own are kept by nobody."""
    row = Branding.objects.defer("logo").first()
    # asked first, so that answers for all do not depend on anybody's cookie
    previewed = request.GET.get("v") == "preview" and _previews(request)
    if row is not None and previewed:
        row = with_draft(row)
    response = HttpResponse(_css(row) if row is not None else "", content_type="text/css; charset=utf-8")
    if previewed:
        patch_cache_control(response, private=True, no_store=True)
    else:
        patch_cache_control(response, public=True, max_age=KEPT_SECONDS)
    return response


@require_safe
@cache_control(public=True, max_age=KEPT_SECONDS)
def logo(request: HttpRequest) -> HttpResponse:
    row = Branding.objects.first()
    if row is None or not row.logo:
        raise Http404("no logo")
    response = HttpResponse(bytes(row.logo), content_type=row.logo_type)
    response["Content-Security-Policy"] = LOGO_POLICY
    return response


@require_safe
def site_page(request: HttpRequest, slug: str) -> HttpResponse:
    """A page of the website; one that is not published yet is shown to staff as a preview."""
    found = get_object_or_404(SitePage, slug=slug)
    if _previews(request):
        found = with_draft(found)
    elif not found.published and not request.user.has_perm("accounts.view_sitepage"):
        raise Http404("not published")
    return render(request, "catalogue/site_page.html", {"page": found})


def _previews(request: HttpRequest) -> bool:
    found = preview.current(request)
    return found is not None and found.kind == preview.WEBSITE


def _css(row: Branding) -> str:
    """Only colours that were checked get here: # and six digits."""
    light = row.accent_light or BUILT_IN["accent_light"]
    dark = row.accent_dark or BUILT_IN["accent_dark"]
    return f""":root {{
  --accent: light-dark({light}, {dark});
  --accent-strong: light-dark(color-mix(in srgb, {light} 76%, black), color-mix(in srgb, {dark} 70%, white));
  --accent-wash: light-dark(color-mix(in srgb, {light} 9%, white), color-mix(in srgb, {dark} 15%, #161a21));
{LIGHT.format(light) if row.accent_light else ""}}}
"""
