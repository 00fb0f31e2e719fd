"""Pages about an API, written by its provider in Markdown."""

from typing import Any

from django.db import transaction
from django.utils.text import slugify

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import assign, check_fields, taken_is_refused
from apis.models import Api, ApiPage

CHANGEABLE = ("title", "slug", "text", "position", "published")


def published_pages(api: Api) -> list[ApiPage]:
    """The pages that the catalogue shows, in their order, without their texts being rendered."""
    return list(api.pages.filter(published=True).order_by("position", "title"))


@transaction.atomic
def create_page(
    *,
    api: Api,
    title: str,
    slug: str = "",
    text: str = "",
    position: int = 0,
    published: bool = True,
    actor: User | None,
) -> ApiPage:
    """Make a page; an empty slug is made from the title. Refused: the field at fault."""
    page = ApiPage(organization_id=api.organization_id, api=api, title=title.strip(), text=text)
    page.slug, page.position, page.published = slug or slugify(page.title)[:60], position, published
    _save(page, force_insert=True)
    _audit(page, actor, "api_page.created", f"Wrote the page {page}")
    return page


@transaction.atomic
def change_page(*, page: ApiPage, actor: User | None, **fields: Any) -> ApiPage:
    """Change title, slug, text, position or published."""
    changes = assign(page, fields, allowed=CHANGEABLE)
    if changes:
        page.slug = page.slug or slugify(page.title)[:60]
        _save(page)
        # two texts of pages would make the trail unreadable
        changes.pop("text", None)
        _audit(page, actor, "api_page.changed", f"Changed the page {page}", changes)
    return page


@transaction.atomic
def delete_page(*, page: ApiPage, actor: User | None) -> None:
    """Delete a page; its address is not found from then on."""
    _audit(page, actor, "api_page.deleted", f"Deleted the page {page}")
    page.delete()


def _save(page: ApiPage, **options: Any) -> None:
    if not page.slug:
        raise Refused("Give a slug: nothing of the title can be part of an address.", field="slug")
    check_fields(page)
    with taken_is_refused(f"{page.api} has a page {page.slug} already.", field="slug"):
        page.save(**options)


def _audit(
    page: ApiPage, actor: User | None, action: str, summary: str, changes: dict[str, Any] | None = None
) -> None:
    record(
        organization=page.api.organization,
        actor=actor,
        action=action,
        target=page,
        summary=summary,
        changes=changes,
    )
