"""What invoices print of the organization: name, address, tax ids, and as a provider logo and how to pay."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.models import Organization
from accounts.permissions import can_administer
from billing.profiles import billing_profile, change_billing_profile
from portal import guard
from portal.forms.billing_profile import BillingProfileForm
from portal.refusals import refusals_to


@guard.in_organization(can_administer)
def page(request: HttpRequest, organization: Organization) -> HttpResponse:
    profile = billing_profile(organization)
    form = BillingProfileForm(request.POST or None, request.FILES or None, profile=profile)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            change_billing_profile(
                organization=organization, actor=guard.person(request), **form.profile_fields()
            )
            messages.success(request, "Saved. Invoices show it from the next one on.")
            return redirect("billing-profile")
    context = {"section": "console", "page": "organization", "form": form, "profile": profile}
    return render(request, "console/billing_profile.html", context)
