"""What every page needs of the branding, kept in the cache: it changes once a year and is read with each page."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.core.cache import cache

from accounts.branding.models import Branding, SitePage

KEY = "branding"
# other processes keep what they know for so long
KEPT_SECONDS = 60
NAME = "Gatehouse"


@dataclass(frozen=True, slots=True)
class Shown:
    """`version` moves with every change ('' = as built in); links and pages are (label, address or slug)."""

    name: str = NAME
    version: str = ""
    has_logo: bool = False
    has_colours: bool = False
    links: tuple[tuple[str, str], ...] = ()
    pages: tuple[tuple[str, str], ...] = ()
    address: str = ""


def shown_branding() -> Shown:
    """Return the branding as pages show it. No query while it is in the cache, else two."""
    known: Shown | None = cache.get(KEY)
    if known is None:
        known = _read()
        cache.set(KEY, known, KEPT_SECONDS)
    return known


def forget() -> None:
    """Let the next page ask the database."""
    cache.delete(KEY)


def shown_of(row: Branding | None, pages: Iterable[SitePage], version: str = "") -> Shown:
    """Return the branding that a row and pages make; a `version` stands for the row's own."""
    titles = tuple((each.title, each.slug) for each in pages)
    if row is None:
        return Shown(pages=titles)
    return Shown(
        name=row.name or NAME,
        version=version or f"{row.updated_at:%Y%m%d%H%M%S%f}",
        has_logo=bool(row.logo_type),
        has_colours=bool(row.accent_light or row.accent_dark),
        links=tuple((each["label"], each["url"]) for each in row.footer_links),
        pages=titles,
        address=row.address,
    )


def _read() -> Shown:
    pages = SitePage.objects.filter(published=True, in_footer=True).defer("text")
    return shown_of(Branding.objects.defer("logo").first(), pages)
