"""The installation's own pages, written by its staff in Markdown."""

from typing import Any

from django.db import transaction
from django.utils.text import slugify

from accounts.audit import record
from accounts.branding.models import SitePage
from accounts.branding.shown import forget
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import assign, check_fields, taken_is_refused

CHANGEABLE = ("title", "slug", "text", "position", "in_footer", "published")


@transaction.atomic
def create_site_page(*, actor: User | None, **fields: Any) -> SitePage:
    """Make a page of CHANGEABLE's fields; an empty slug is made from the title. Refused: the field at fault."""
    page = SitePage()
    assign(page, fields, allowed=CHANGEABLE)
    _save(page, force_insert=True)
    _audit(page, actor, "page.created", f"Wrote the page {page}")
    return page


@transaction.atomic
def change_site_page(*, page: SitePage, actor: User | None, **fields: Any) -> SitePage:
    """Change fields of CHANGEABLE."""
    changes = assign(page, fields, allowed=CHANGEABLE)
    if changes:
        _save(page)
        changes.pop("text", None)
        _audit(page, actor, "page.changed", f"Changed the page {page}", changes)
    return page


@transaction.atomic
def delete_site_page(*, page: SitePage, actor: User | None) -> None:
    """Delete a page."""
    _audit(page, actor, "page.deleted", f"Deleted the page {page}")
    page.delete()
    forget()


def _save(page: SitePage, **options: Any) -> None:
    page.title = page.title.strip()
    page.slug = page.slug or slugify(page.title)[:60]
    if not page.slug:
        raise Refused("Give a slug: nothing of the title can be part of an address.", field="slug")
    check_fields(page)
    with taken_is_refused(f"There is a page {page.slug} already.", field="slug"):
        page.save(**options)
    forget()


def _audit(
    page: SitePage, actor: User | None, action: str, summary: str, changes: dict[str, Any] | None = None
) -> None:
    record(organization=None, actor=actor, action=action, target=page, summary=summary, changes=changes)
