"""Pages about an API or a product, written by its provider in Markdown."""

from typing import Any

from django.db import transaction
from django.utils.text import slugify

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import assign, check_fields, taken_is_refused
from apis.models import Api, ApiPage, Product, ProductPage

CHANGEABLE = ("title", "slug", "text", "position", "published")
MOST_PAGES = 40  # of an API or a product, as Amazon API Gateway has them

Page = ApiPage | ProductPage
NOUNS = {ApiPage: "api_page", ProductPage: "product_page"}


def published_pages(about: Api | Product) -> list[Page]:
    """The pages that the catalogue shows, in their order, without their texts being rendered."""
    return list(about.pages.filter(published=True).order_by("position", "title"))


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
    page.slug, page.position, page.published = slug, position, published
    _create(page, actor)
    return page


@transaction.atomic
def create_product_page(
    *,
    product: Product,
    title: str,
    slug: str = "",
    text: str = "",
    position: int = 0,
    published: bool = True,
    actor: User | None,
) -> ProductPage:
    """The same about a product."""
    page = ProductPage(
        organization_id=product.organization_id, product=product, title=title.strip(), text=text
    )
    page.slug, page.position, page.published = slug, position, published
    _create(page, actor)
    return page


@transaction.atomic
def change_page(*, page: Page, actor: User | None, **fields: Any) -> Page:
    """Change title, slug, text, position or published."""
    changes = assign(page, fields, allowed=CHANGEABLE)
    if changes:
        page.slug = page.slug or slugify(page.title)[:60]
        _save(page)
        # two texts of pages would make the trail unreadable
        changes.pop("text", None)
        _audit(page, actor, "changed", f"Changed the page {page}", changes)
    return page


@transaction.atomic
def delete_page(*, page: Page, actor: User | None) -> None:
    """Delete a page; its address is not found from then on."""
    _audit(page, actor, "deleted", f"Deleted the page {page}")
    page.delete()


def _create(page: Page, actor: User | None) -> None:
    page.slug = page.slug or slugify(page.title)[:60]
    if page.about.pages.count() >= MOST_PAGES:
        raise Refused(f"There is room for {MOST_PAGES} pages; delete one first.", code="too_many")
    _save(page, force_insert=True)
    _audit(page, actor, "created", f"Wrote the page {page}")


def _save(page: Page, **options: Any) -> None:
    if not page.slug:
        raise Refused("Give a slug: nothing of the title can be part of an address.", field="slug")
    check_fields(page)
    with taken_is_refused(f"{page.about} has a page {page.slug} already.", field="slug"):
        page.save(**options)


def _audit(
    page: Page, actor: User | None, done: str, summary: str, changes: dict[str, Any] | None = None
) -> None:
    record(
        organization=page.about.organization,
        actor=actor,
        action=f"{NOUNS[type(page)]}.{done}",
        target=page,
        summary=summary,
        changes=changes,
    )
