"""A product's own pages, and who is invited to it."""

from typing import Any

from django.http import HttpRequest

from apis.invitations import invite_to_product
from apis.models import Product
from apis.pages import change_page, create_product_page, delete_page
from portal.views.guests import Guests
from portal.views.provider_products import of_product, own_product
from portal.views.written_pages import Subject, WrittenPages, by_page


def _own(request: HttpRequest, pk: str, _act: str) -> Product:
    return own_product(request, pk)


def _shown(request: HttpRequest, product: Product, tab: str) -> dict[str, Any]:
    return of_product(request, product, tab) | {
        "head": "provider/product_head.html",
        "previewed": ("product", product.pk),
        "empty": "Write a guide: how to sign in, what a webhook looks like, how to test.",
    }


SUBJECT = Subject("provider-product", _own, _shown)

pages = WrittenPages(
    SUBJECT,
    rows=lambda product: product.pages.all(),
    write=lambda product, **fields: create_product_page(product=product, **fields),
    change=by_page(change_page),
    remove=by_page(delete_page),
)
guests = Guests(SUBJECT, "product", lambda product, **given: invite_to_product(product=product, **given))
