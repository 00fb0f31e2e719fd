"""What readers see of portal products: overview, pages, reference, documents."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render

from access.models import UsagePlan
from access.queries import open_plans
from apis.models import ApiVersion, Product
from apis.pages import published_pages
from apis.products.queries import live_operations, products_for
from apis.products.reference import product_document, reference, sections_of
from apis.queries import visible_apis
from portal import examples, preview, prices

MOST_LISTED = 12


def page(request: HttpRequest, slug: str) -> HttpResponse:
    """Overview, what is in it, and the plans that open it."""
    product = _product(request, slug)
    rows = live_operations(product)
    versions = {each.operation.version_id: each.operation.version for each in rows}
    plans = _plans(request, list(versions))
    context = _context(request, product) | {
        "sections": sections_of(rows),
        "versions": list(versions.values()),
        # a product may show operations of APIs that the reader finds nowhere else
        "open_apis": set(
            visible_apis(request.user).filter(versions__in=list(versions)).values_list("pk", flat=True)
        ),
        "plans": [prices.terms(plan) for plan in plans],
        "most": MOST_LISTED,
    }
    return render(request, "products/product.html", context)


def text_page(request: HttpRequest, slug: str, page: str) -> HttpResponse:
    """One of its own pages."""
    product = _product(request, slug)
    context = _context(request, product)
    found = next((each for each in context["pages"] if each.slug == page), None)
    if found is None:
        raise Http404("no such page")
    return render(request, "products/page.html", context | {"page": found})


def reference_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The chosen operations in their sections: how to call each, and what it answers."""
    product = _product(request, slug)
    sections = reference(product)
    shown = [each for section in sections for each in section.operations]
    versions = {each.operation.version_id: each.operation.version for each in shown}
    context = _context(request, product) | {
        "sections": [(each.title, [(one, _curl(one)) for one in each.operations]) for each in sections],
        "versions": list(versions.values()),
    }
    return render(request, "products/reference.html", context)


def document(request: HttpRequest, slug: str, api: str, version: str) -> JsonResponse:
    """The OpenAPI document of a version, with the product's operations alone."""
    product = _product(request, slug)
    found = get_object_or_404(ApiVersion, organization=product.organization_id, api__slug=api, name=version)
    data = product_document(product, found)
    if data is None:
        raise Http404("nothing of it is in the product")
    return JsonResponse(data)


def _product(request: HttpRequest, slug: str) -> Product:
    """The product as readers see it, or with its draft while she previews it."""
    found: Product | None = preview.previews(request, "product", slug)
    return found or get_object_or_404(products_for(request.user), slug=slug)


def _context(request: HttpRequest, product: Product) -> dict[str, Any]:
    previewed = preview.previews(request, "product", product.slug) is not None
    pages = preview.all_pages(product) if previewed else published_pages(product)
    return {"section": "catalogue", "product": product, "pages": pages}


def _plans(request: HttpRequest, versions: list[str]) -> list[UsagePlan]:
    """The plans that she can pick herself and that open some of the product."""
    person = request.user if request.user.is_authenticated else None
    found = open_plans(person).filter(stages__version__in=versions).distinct().prefetch_related(None)
    return list(
        found.select_related("price__rate_card")
        .prefetch_related("price__rate_card__versions__prices")
        .order_by("position", "name")
    )


def _curl(shown: Any) -> str:
    """A line that calls the operation; parameters in its path stay to be filled in."""
    described = shown.described
    url = shown.address + described.path
    line = examples.curl(url, source=shown.key_source) if shown.needs_key else f'curl "{url}"'
    return line if described.method == "GET" else line.replace("curl ", f"curl -X {described.method} ", 1)
