"""Products: made, changed, deleted."""

from typing import Any

from django.db import transaction
from django.utils.text import slugify

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import assign, check_fields, taken_is_refused
from apis.models import Product, Visibility

CHANGEABLE = ("title", "slug", "summary", "text", "visibility", "published")


@transaction.atomic
def create_product(
    *,
    organization: Organization,
    title: str,
    slug: str = "",
    summary: str = "",
    text: str = "",
    visibility: str = Visibility.PUBLIC,
    published: bool = False,
    actor: User | None,
) -> Product:
    """Make a product without operations; an empty slug is made from the title. Refused: the field at fault."""
    product = Product(organization=organization, title=title, slug=slug, summary=summary.strip(), text=text)
    product.visibility, product.published = visibility, published
    _save(product, force_insert=True)
    _audit(product, actor, "product.created", f"Made the product {product}")
    return product


@transaction.atomic
def change_product(*, product: Product, actor: User | None, **fields: Any) -> Product:
    """Change fields of CHANGEABLE; `published` shows it to readers, or takes it from them."""
    changes = assign(product, fields, allowed=CHANGEABLE)
    if changes:
        _save(product)
        # two whole texts would make the trail unreadable
        changes.pop("text", None)
        _audit(product, actor, "product.changed", f"Changed the product {product}", changes)
    return product


@transaction.atomic
def delete_product(*, product: Product, actor: User | None) -> None:
    """Delete it with its pages and invitations. APIs, plans and keys stay as they are."""
    _audit(product, actor, "product.deleted", f"Deleted the product {product}")
    product.delete()


def _save(product: Product, **options: Any) -> None:
    product.title = product.title.strip()
    product.slug = product.slug or slugify(product.title)[:60]
    if not product.slug:
        raise Refused("Give a slug: nothing of the title can be part of an address.", field="slug")
    check_fields(product)
    with taken_is_refused(
        f"There is a product at /products/{product.slug}/ already; choose another slug.", field="slug"
    ):
        product.save(**options)


def _audit(
    product: Product, actor: User | None, action: str, summary: str, changes: dict[str, Any] | None = None
) -> None:
    record(
        organization=product.organization,
        actor=actor,
        action=action,
        target=product,
        summary=summary,
        changes=changes,
    )
