"""A subscription's plan: changed, ended, and what is planned taken back."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import now

from access.change_plan import cancel_change, change_plan
from access.models import CountersOnChange, Subscription, SubscriptionState, UsagePlan
from access.periods import When, billing_month_end
from access.queries import open_plans
from access.subscribe import cancel
from accounts.models import Organization
from accounts.permissions import can_manage
from billing.preview import Preview, preview_change, preview_end
from portal import formats, guard, prices
from portal.forms.plan import CancelForm, ChangePlanForm
from portal.refusals import refusals_to
from portal.views.questions import ask


@dataclass(frozen=True, slots=True)
class Choice:
    """A plan that she may change to: its terms, and what it costs if she changes now."""

    terms: prices.PlanTerms
    cost: Preview
    resets: bool
    checked: bool

    @property
    def now(self) -> str:
        return in_money(self.cost)


def in_money(preview: Preview) -> str:
    """The totals of a preview in words; `nothing` for none."""
    parts = [formats.money(amount, currency) for currency, amount in preview.totals.items() if amount]
    return " and ".join(parts) or "nothing"


@guard.in_organization(can_manage)
def change(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    """The plans to choose from beside each other, with what changes and what it costs."""
    subscription = _own(organization, pk)
    plans = list(_plans_for(request, subscription))
    form = ChangePlanForm(request.POST or None, plans=plans, month_ends=_month_end(subscription))
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            changed = change_plan(
                subscription=subscription,
                plan=form.plan_chosen(),
                at=form.cleaned_data["at"],
                actor=guard.person(request),
            )
            messages.success(request, _done(changed, form.plan_chosen()))
            return redirect("application", pk=subscription.application_id)
    at, chosen = now(), form["plan"].value()
    context = {
        "section": "console",
        "page": "applications",
        "subscription": subscription,
        "current": prices.terms(subscription.plan),
        "choices": [
            Choice(
                prices.terms(plan),
                preview_change(subscription=subscription, plan=plan, at=at),
                plan.counters_on_change == CountersOnChange.RESET,
                plan.pk == chosen,
            )
            for plan in plans
        ],
        "form": form,
        "month_ends": _month_end(subscription),
    }
    return render(request, "console/change_plan.html", context)


@guard.in_organization(can_manage)
def cancel_subscription(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    subscription = _own(organization, pk)
    at, end = now(), _month_end(subscription)
    back = reverse("application", args=[subscription.application_id])
    waiting = subscription.state == SubscriptionState.PENDING
    may_wait = (
        not waiting and subscription.state != SubscriptionState.CANCELLED and not subscription.cancel_at
    )
    form = CancelForm(request.POST or None, month_ends=end) if may_wait else None

    def act() -> HttpResponse:
        when = form.cleaned_data["at"] if form else When.NOW
        cancelled = cancel(subscription=subscription, at=when, actor=guard.person(request))
        told = f"ends {formats.moment(end)}" if cancelled.cancel_at else "is cancelled"
        messages.success(request, f"{subscription.plan} {told}.")
        return redirect(back)

    return ask(
        request,
        question=f"Cancel {subscription.plan} for {subscription.application}?",
        consequence=_owed(subscription, at, end if may_wait else None),
        action="Cancel the subscription",
        back=back,
        act=act,
        done=f"{subscription.plan} is cancelled.",
        page="applications",
        form=form,
    )


def _owed(subscription: Subscription, at: datetime, end: datetime | None) -> str:
    """What ends, and the base fee of the last month; `end` = the month's end, if it may wait for that."""
    if subscription.state == SubscriptionState.PENDING:
        return "It was not approved yet, so nothing is owed."
    fee = f"Base fee for its last month: {in_money(preview_end(subscription=subscription, at=at))} if it ends at once"
    if end is not None:
        at_end = in_money(preview_end(subscription=subscription, at=end))
        fee += f", {at_end} if it ends on {formats.moment(end)}"
    return (
        "From then on its keys no longer open this plan's APIs. "
        f"{fee}. What was used until then is billed, too (see Costs). You can subscribe again later."
    )


@guard.in_organization(can_manage)
def undo(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    subscription = _own(organization, pk)
    what = f"the change to {subscription.next_plan}" if subscription.next_plan else "the end"
    return ask(
        request,
        question=f"Take back {what} of {subscription.plan} for {subscription.application}?",
        consequence=f"{subscription.application} stays on {subscription.plan}.",
        action="Take it back",
        back=reverse("application", args=[subscription.application_id]),
        act=lambda: cancel_change(subscription=subscription, actor=guard.person(request)),
        done=f"{subscription.application} stays on {subscription.plan}.",
        page="applications",
        button_class="button--primary",
    )


def _own(organization: Organization, pk: str) -> Subscription:
    rows = Subscription.objects.select_related(
        "plan__price__rate_card", "next_plan", "application", "provider", "organization"
    )
    return guard.own(rows.prefetch_related("plan__price__rate_card__versions__prices"), organization, pk)


def _plans_for(request: HttpRequest, subscription: Subscription) -> Iterable[UsagePlan]:
    """The provider's other open plans that open one of the same stages."""
    same = UsagePlan.objects.filter(
        organization=subscription.provider_id, stages__in=subscription.plan.stages.all()
    )
    rows = open_plans(guard.person(request)).filter(pk__in=same.values("pk")).exclude(pk=subscription.plan_id)
    shown = rows.select_related("organization", "price__rate_card").prefetch_related(None)
    return shown.prefetch_related("price__rate_card__versions__prices")


def _month_end(subscription: Subscription) -> datetime:
    return billing_month_end(subscription.provider, now())


def _done(subscription: Subscription, plan: UsagePlan) -> str:
    if subscription.next_plan_waits:
        return f"The provider was asked to approve the change to {plan}."
    if subscription.next_plan is not None:
        return f"{subscription.application} changes to {plan} {formats.moment(subscription.next_plan_at)}."
    return f"{subscription.application} is on {plan} now; its gateways know within a second."
