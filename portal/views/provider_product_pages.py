"""A product's own pages, as their provider writes them."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.drafts.keep import fields_of, with_draft
from apis.models import ProductPage
from apis.pages import CHANGEABLE, change_page, create_product_page, delete_page
from portal import guard
from portal.forms.products import PageForm
from portal.refusals import refusals_to
from portal.views.provider_products import of_product, own_product, save_or_keep
from portal.views.questions import ask


@login_required
def listing(request: HttpRequest, pk: str) -> HttpResponse:
    product = own_product(request, pk)
    context = of_product(request, product, "pages") | {"pages": list(product.pages.all())}
    return render(request, "provider/product_pages.html", context)


@login_required
def create(request: HttpRequest, pk: str) -> HttpResponse:
    product = own_product(request, pk)
    form = PageForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            page = create_product_page(product=product, actor=guard.person(request), **form.cleaned_data)
            messages.success(request, f"The page {page.title} is made.")
            return redirect("provider-product-pages", product.pk)
    context = of_product(request, product, "pages") | {"form": form}
    return render(request, "provider/product_page_form.html", context)


@login_required
def edit(request: HttpRequest, pk: str, page: str) -> HttpResponse:
    product = own_product(request, pk)
    found = get_object_or_404(ProductPage, product=product, pk=page)
    title = found.title
    draft = with_draft(found)
    form = PageForm(request.POST or None, initial={name: getattr(draft, name) for name in CHANGEABLE})
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            messages.success(request, save_or_keep(request, found, form, _change))
            return redirect("provider-product-pages", product.pk)
    context = of_product(request, product, "pages") | {"form": form, "found": found, "title": title}
    context["draft"] = bool(fields_of(found))
    return render(request, "provider/product_page_form.html", context)


def _change(page: ProductPage, **fields: Any) -> None:
    change_page(page=page, **fields)


@login_required
def delete(request: HttpRequest, pk: str, page: str) -> HttpResponse:
    product = own_product(request, pk)
    found = get_object_or_404(ProductPage, product=product, pk=page)
    return ask(
        request,
        question=f"Delete the page {found.title}?",
        consequence="Its address is not found from then on.",
        action="Delete the page",
        back=reverse("provider-product-pages", args=[product.pk]),
        act=lambda: delete_page(page=found, actor=guard.person(request)),
        done=f"{found.title} is deleted.",
        page="products",
    )
