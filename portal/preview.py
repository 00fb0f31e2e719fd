"""Previews: an API, a product or the website as its draft is, before readers see it.

Who may see it begins one in her session; a signed link that expires does the same for somebody without an account.
A preview opens nothing but those pages: no plan, no key, no reference of what is not deployed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.core import signing
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timezone import now

from accounts.branding.models import Branding, SitePage
from accounts.branding.shown import Shown, shown_branding, shown_of
from accounts.drafts.keep import with_draft, with_drafts
from accounts.permissions import can_manage, can_read
from apis.grants import may_change
from apis.models import Api, ApiGrant, Product
from portal import provider_scope

KINDS: dict[str, type[Model]] = {"api": Api, "product": Product, "website": Branding}
WEBSITE = "website"
SESSION_KEY, SALT = "preview", "gatehouse.preview"
OWN_HOURS = 12
LINK_DAYS = (1, 7, 30)
Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Preview:
    """What the session previews, until when."""

    kind: str
    pk: str
    until: datetime

    def place(self) -> str:
        """Its first page; raises KeyError or DoesNotExist for what is gone."""
        if self.kind == WEBSITE:
            return reverse("home")
        row: Any = KINDS[self.kind]._default_manager.get(pk=self.pk)
        return reverse(self.kind, args=[row.slug])


def row_of(kind: str, pk: str) -> Any:
    """What is previewed, with its organization; the website is there even before it has a look of its own."""
    if kind == WEBSITE:
        return Branding.objects.first() or Branding(pk=1)
    return KINDS[kind]._default_manager.select_related("organization").filter(pk=pk).first()


def may_preview(request: HttpRequest, kind: str, pk: str) -> bool:
    """Members of the organization (limited ones: an API of theirs); the website: staff who may see its pages."""
    if kind == WEBSITE:
        return request.user.has_perm("accounts.view_sitepage")
    row = row_of(kind, pk)
    if row is None:
        return False
    return (
        _is_staff(request)
        or can_read(request.user, row.organization)
        or _grant(request, kind, pk) is not None
    )


def may_share(request: HttpRequest, kind: str, pk: str) -> bool:
    """Who may also give others a link: those who may change it."""
    if kind == WEBSITE:
        return request.user.has_perm("accounts.change_branding")
    row = row_of(kind, pk)
    if row is None:
        return False
    grant = _grant(request, kind, pk)
    return can_manage(request.user, row.organization) or (grant is not None and may_change(grant))


def begin(request: HttpRequest, preview: Preview) -> None:
    request.session[SESSION_KEY] = [preview.kind, preview.pk, preview.until.timestamp()]


def leave(request: HttpRequest) -> None:
    request.session.pop(SESSION_KEY, None)


def current(request: HttpRequest) -> Preview | None:
    """What this session previews, or None. No query for who has no session."""
    session = getattr(request, "session", None)  # none where a request failed early
    kept = session.get(SESSION_KEY) if session is not None else None
    if not kept:
        return None
    kind, pk, until = kept
    ends = datetime.fromtimestamp(until, tz=now().tzinfo)
    return Preview(kind, pk, ends) if kind in KINDS and ends > now() else None


def own_preview(kind: str, pk: str) -> Preview:
    return Preview(kind, pk, now() + timedelta(hours=OWN_HOURS))


def link_text(kind: str, pk: str, days: int) -> str:
    """Return the signed part of a link for others; it holds for `days`."""
    until = now() + timedelta(days=days)
    return signing.dumps([kind, pk, int(until.timestamp())], salt=SALT)


def read_link(text: str) -> Preview | None:
    """Return what a link shows; None = it was not made here, or is over."""
    try:
        kind, pk, until = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        return None
    ends = datetime.fromtimestamp(until, tz=now().tzinfo)
    return Preview(kind, pk, ends) if kind in KINDS and ends > now() else None


def previews(request: HttpRequest, kind: str, slug: str) -> Any:
    """The row of this slug with its draft, if the session previews it; else None."""
    found = current(request)
    if found is None or found.kind != kind:
        return None
    row = KINDS[kind]._default_manager.select_related("organization").filter(pk=found.pk, slug=slug).first()
    return with_draft(row) if row is not None else None


def all_pages(about: Api | Product) -> list[Any]:
    """Its pages with their drafts, also those that are not published."""
    found = with_drafts(about.pages.all())
    return sorted(found, key=lambda each: (each.position, each.title))


def brand_of(request: HttpRequest) -> Shown:
    """The website's look for this request."""
    found = current(request)
    if found is None or found.kind != WEBSITE:
        return shown_branding()
    row = Branding.objects.defer("logo").first()
    pages = [each for each in with_drafts(SitePage.objects.all()) if each.in_footer]
    pages.sort(key=lambda each: (each.position, each.title))
    return shown_of(with_draft(row) if row else None, pages, version="preview")


def _grant(request: HttpRequest, kind: str, pk: str) -> ApiGrant | None:
    """By which a limited member sees the API."""
    if kind != "api":
        return None
    return next((each for each in provider_scope.granted(request) if each.api_id == pk), None)


def _is_staff(request: HttpRequest) -> bool:
    return bool(request.user.is_staff and request.user.has_perm("apis.change_api"))
