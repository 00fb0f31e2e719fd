"""The billing group: who pays for the organization, and for whom it pays."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.billing_group import accept_child, ask_to_join, leave_billing, refuse_child
from accounts.models import BillingMembership, Organization
from accounts.permissions import can_join_billing
from accounts.telling import refusal_as_message
from portal import guard
from portal.forms.organization import BillingParentForm
from portal.refusals import refusals_to
from portal.views.questions import ask

PAGE = {"section": "console", "page": "organization"}


@guard.in_organization()
def page(request: HttpRequest, organization: Organization) -> HttpResponse:
    form = BillingParentForm(request.POST or None)
    if request.method == "POST":
        guard.demand(can_join_billing, request, organization)
        if form.is_valid() and form.parent:
            with refusals_to(form):
                ask_to_join(child=organization, parent=form.parent, actor=guard.person(request))
                messages.success(request, f"{form.parent} was asked. One of its owners must accept.")
                return redirect("billing-group")
    members = BillingMembership.objects.filter(parent=organization, left_at=None)
    context = PAGE | {
        "form": form,
        "members": list(members.select_related("organization")),
        "asking": list(organization.asking_billing_children.all()),
        "may_join": can_join_billing(request.user, organization),
    }
    return render(request, "console/billing_group.html", context)


@guard.in_organization(can_join_billing)
def leave(request: HttpRequest, organization: Organization) -> HttpResponse:
    payer = organization.billing_parent
    if payer is None:
        question, consequence = "Take back the question?", f"{organization} goes on paying its own bills."
    else:
        question = f"Leave the billing group of {payer}?"
        consequence = (
            f"{organization} pays for the whole running month itself, and its usage no longer adds up with the "
            "group's. Months that are over stay with the group."
        )
    return ask(
        request,
        question=question,
        consequence=consequence,
        action="Leave the group" if payer else "Take it back",
        back=reverse("billing-group"),
        act=lambda: leave_billing(child=organization, actor=guard.person(request)),
        done=f"{organization} pays its own bills.",
        page="organization",
    )


@require_POST
@guard.in_organization(can_join_billing)
def accept(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    child = get_object_or_404(organization.asking_billing_children, pk=pk)
    return _act(
        request,
        lambda: accept_child(child=child, parent=organization, actor=guard.person(request)),
        f"{organization} pays the bills of {child} from this month on.",
    )


@guard.in_organization(can_join_billing)
def refuse(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    near = organization.billing_children.all() | organization.asking_billing_children.all()
    child = get_object_or_404(near, pk=pk)
    member = child.billing_parent_id == organization.pk
    paid = "It pays for the whole running month itself. Months that are over stay with you."
    return ask(
        request,
        question=f"Pay the bills of {child} no longer?" if member else f"Decline {child}?",
        consequence=paid if member else "It goes on paying its own bills, and may ask again.",
        action="Remove it" if member else "Decline",
        back=reverse("billing-group"),
        act=lambda: refuse_child(child=child, parent=organization, actor=guard.person(request)),
        done=f"{child} pays its own bills.",
        page="organization",
    )


def _act(request: HttpRequest, act: Callable[[], object], done: str) -> HttpResponse:
    with refusal_as_message(request):
        act()
        messages.success(request, done)
    return redirect("billing-group")
