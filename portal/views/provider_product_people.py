"""Who is invited to a product."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from apis.invitations import invite_to_product, withdraw_invitation
from apis.models import ProductInvitation
from portal import guard
from portal.forms.products import InvitationForm
from portal.refusals import refusals_to
from portal.views.provider_products import of_product, own_product
from portal.views.questions import ask


@login_required
def page(request: HttpRequest, pk: str) -> HttpResponse:
    product = own_product(request, pk)
    form = InvitationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            invitation = invite_to_product(product=product, actor=guard.person(request), **form.values())
            messages.success(request, f"Invited {invitation.email or invitation.invited}; a mail tells.")
            return redirect("provider-product-people", product.pk)
    context = of_product(request, product, "people") | {
        "form": form,
        "invitations": list(product.invitations.select_related("invited", "created_by")),
    }
    return render(request, "provider/product_people.html", context)


@login_required
def withdraw(request: HttpRequest, pk: str, invitation: str) -> HttpResponse:
    product = own_product(request, pk)
    found = get_object_or_404(
        ProductInvitation.objects.select_related("invited"), product=product, pk=invitation
    )
    who = found.email or str(found.invited)
    return ask(
        request,
        question=f"Withdraw the invitation of {who}?",
        consequence="The product is hidden from them, unless it is open to all. Subscriptions stay.",
        action="Withdraw the invitation",
        back=reverse("provider-product-people", args=[product.pk]),
        act=lambda: withdraw_invitation(invitation=found, actor=guard.person(request)),
        done=f"{who} is not invited any more.",
        page="products",
    )
