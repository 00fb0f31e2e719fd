"""A provider's products: the list, their texts, and which operations they show in which order."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.drafts.keep import fields_of, with_draft
from accounts.errors import Refused
from accounts.models import Organization
from accounts.permissions import can_manage
from apis.models import ApiVersion, Product, ProductOperation, VersionState
from apis.products.change import CHANGEABLE, change_product, create_product, delete_product
from apis.products.choose import arrange_operations, choose_operations, moved
from apis.products.queries import live_operations
from apis.queries import operations_of
from portal import guard, provider_scope
from portal.forms.products import ProductForm
from portal.refusals import refusals_to
from portal.saving import save_or_keep
from portal.views.questions import ask

STEPS = {"up": -1, "down": 1}


@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """Its people and the staff see them; who manages APIs changes them."""
    organization = provider_scope.chosen(request)
    products = organization.products.annotate(
        shown_count=Count("chosen", distinct=True), page_count=Count("pages", distinct=True)
    )
    context = of_provider(request, organization) | {
        "products": list(products.order_by("title")),
        "may_change": can_manage(request.user, organization),
    }
    return render(request, "provider/products.html", context)


@login_required
def create(request: HttpRequest) -> HttpResponse:
    organization = provider_scope.chosen(request)
    guard.demand(can_manage, request, organization)
    form = ProductForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            product = create_product(
                organization=organization, actor=guard.person(request), **form.cleaned_data
            )
            messages.success(request, f"{product} is made. Now choose its operations.")
            return redirect("provider-product-operations", product.pk)
    return render(request, "provider/product_form.html", of_provider(request, organization) | {"form": form})


@login_required
def edit(request: HttpRequest, pk: str) -> HttpResponse:
    product = own_product(request, pk)
    draft = with_draft(product)
    form = ProductForm(request.POST or None, initial={name: getattr(draft, name) for name in CHANGEABLE})
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            said = save_or_keep(request, product, form, _change)
            messages.success(request, said)
            return redirect("provider-product", product.pk)
    # what was typed and refused must not name the page
    shown = Product.objects.select_related("organization").get(pk=pk)
    context = of_product(request, shown, "details") | {"form": form, "draft": bool(fields_of(product))}
    return render(request, "provider/product_form.html", context)


@login_required
def operations(request: HttpRequest, pk: str) -> HttpResponse:
    """The chosen ones with their headings, to be moved; and those of one version, to be chosen."""
    product = own_product(request, pk)
    if request.method == "POST":
        return _change_operations(request, product)
    versions = list(
        ApiVersion.objects.filter(organization=product.organization)
        .exclude(state=VersionState.RETIRED)
        .select_related("api")
        .order_by("api__name", "-created_at")
    )
    version = next((each for each in versions if each.pk == request.GET.get("version")), None)
    version = version or next(iter(versions), None)
    chosen = _chosen(product)
    context = of_product(request, product, "operations") | {
        "chosen": chosen,
        "live": {each.pk for each in live_operations(product)},
        "versions": versions,
        "version": version,
        "operations": list(operations_of(version)) if version else [],
        "in_it": {each.operation_id for each in chosen},
        "moved": request.GET.get("moved", ""),
        "headings": sorted({each.section for each in chosen if each.section}),
    }
    return render(request, "provider/product_operations.html", context)


@login_required
def delete(request: HttpRequest, pk: str) -> HttpResponse:
    product = own_product(request, pk)
    return ask(
        request,
        question=f"Delete the product {product}?",
        consequence="Its pages and invitations are deleted, too. APIs, plans and keys stay as they are.",
        action="Delete the product",
        back=f"{reverse('provider-products')}?organization={product.organization_id}",
        act=lambda: delete_product(product=product, actor=guard.person(request)),
        done=f"{product} is deleted.",
        page="products",
    )


def _change_operations(request: HttpRequest, product: Product) -> HttpResponse:
    """`choose` takes the checked ones of a version; `move` (`up:ID`, `down:ID`) and the rest keep what was typed."""
    place = reverse("provider-product-operations", args=[product.pk])
    version = request.POST.get("version", "")
    move = request.POST.get("move", "")
    try:
        if "choose" in request.POST:
            found = get_object_or_404(ApiVersion, pk=version, organization=product.organization)
            choose_operations(
                product=product,
                version=found,
                operations=request.POST.getlist("operation"),
                actor=guard.person(request),
            )
        else:
            _arrange(request, product, move)
    except Refused as refused:
        messages.error(request, refused.message)
    else:
        if not move:
            messages.success(request, "Saved.")
    after = f"&moved={move}#chosen" if move else ""
    return redirect(f"{place}?version={version}{after}")


def _arrange(request: HttpRequest, product: Product, move: str) -> None:
    order = list(product.chosen.order_by("position").values_list("operation_id", flat=True))
    typed = {pk: request.POST[f"section-{pk}"] for pk in order if f"section-{pk}" in request.POST}
    step, _, pk = move.partition(":")
    if step in STEPS:
        order = moved(order, pk, STEPS[step])
    arrange_operations(product=product, order=order, sections=typed, actor=guard.person(request))


def _change(product: Product, **fields: Any) -> None:
    change_product(product=product, **fields)


def _chosen(product: Product) -> list[ProductOperation]:
    return list(
        product.chosen.select_related("operation__version__api")
        .defer("operation__version__document", "operation__version__findings")
        .order_by("position")
    )


def own_product(request: HttpRequest, pk: str) -> Product:
    """A product of a provider that she may see (else 404) and manages (else 403)."""
    product = get_object_or_404(
        Product.objects.select_related("organization"),
        pk=pk,
        organization__in=provider_scope.choices(request),
    )
    guard.demand(can_manage, request, product.organization)
    return product


def of_provider(request: HttpRequest, organization: Organization) -> dict[str, Any]:
    """What the layout of the provider's pages needs."""
    return {
        "section": "provider",
        "page": "products",
        "provider": organization,
        "providers": provider_scope.choices(request),
        "sees_all": provider_scope.sees_all(request),
    }


def of_product(request: HttpRequest, product: Product, tab: str) -> dict[str, Any]:
    """The same for a page about one product."""
    return of_provider(request, product.organization) | {"product": product, "tab": tab}
