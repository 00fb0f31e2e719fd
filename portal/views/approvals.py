"""The approvals queue: subscriptions and changes of plan that wait for the provider, answered many at once."""

from collections.abc import Callable, Sequence

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from access.answers import approve_request, refuse_request
from access.models import Subscription
from access.queries import waiting_for_approval
from accounts.errors import Refused
from accounts.models import Organization
from portal import approvals, guard, provider_scope
from portal.forms.reason import ReasonForm
from portal.views.questions import ask

PER_PAGE = 50


@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """The queue. POST approves what is `chosen` (ids), or goes on to the reason where `act` is refuse."""
    organization = provider_scope.chosen(request)
    may = provider_scope.manages(request, organization)
    if request.method == "POST":
        provider_scope.demand(may)
        return _answer(request, organization)
    page = Paginator(approvals.waiting(organization), PER_PAGE).get_page(request.GET.get("page"))
    context = provider_scope.context(request, organization, "approvals") | {
        "rows": page,
        "requests": approvals.requests_of(list(page)),
        "may_manage": may,
    }
    return render(request, "provider/approvals.html", context)


@login_required
def refuse(request: HttpRequest) -> HttpResponse:
    """Ask for the reason that the developers of `?chosen=` (ids) shall read, and decline them all."""
    organization = provider_scope.chosen(request)
    provider_scope.demand(provider_scope.manages(request, organization))
    chosen = _chosen(organization, request.GET.getlist("chosen"))
    form = ReasonForm(request.POST or None)
    back = provider_scope.address("approvals", organization)
    if not chosen:
        messages.error(request, "None of them waits any more.")
        return redirect(back)

    def act() -> HttpResponse:
        reason = form.cleaned_data["reason"]
        _each(
            request,
            chosen,
            lambda row: refuse_request(subscription=row, reason=reason, actor=guard.person(request)),
            "refused",
        )
        return redirect(back)

    which = ", ".join(str(each) for each in chosen[:3]) + (" and others" if len(chosen) > 3 else "")
    return ask(
        request,
        question=f"Refuse {len(chosen)} request{'' if len(chosen) == 1 else 's'}?",
        consequence=f"{which}. A new subscription ends; one whose change waited stays on its plan.",
        action="Refuse",
        back=back,
        act=act,
        done="",
        page="approvals",
        form=form,
        template="provider/ask.html",
        context=provider_scope.context(request, organization, "approvals"),
    )


def _answer(request: HttpRequest, organization: Organization) -> HttpResponse:
    ids = request.POST.getlist("only") or request.POST.getlist("chosen")
    back = provider_scope.address("approvals", organization)
    chosen = _chosen(organization, ids)
    if not chosen:
        messages.error(request, "Choose requests first." if not ids else "None of them waits any more.")
        return redirect(back)
    if request.POST.get("act") == "refuse":
        asked = [("chosen", each.pk) for each in chosen]
        return redirect(f"{provider_scope.address('approvals-refuse', organization)}&{urlencode(asked)}")
    actor = guard.person(request)
    _each(request, chosen, lambda row: approve_request(subscription=row, actor=actor), "approved")
    return redirect(back)


def _chosen(organization: Organization, ids: Sequence[str]) -> list[Subscription]:
    """Those of the ids that wait for this provider; others' are passed over."""
    return list(waiting_for_approval(organization).select_related("next_plan").filter(pk__in=ids))


def _each(
    request: HttpRequest, rows: Sequence[Subscription], verb: Callable[[Subscription], object], done: str
) -> None:
    """Answer each in a transaction of its own: one that cannot be answered holds up no other."""
    count = 0
    for row in rows:
        try:
            verb(row)
            count += 1
        except Refused as refused:
            messages.error(request, refused.message)
    if count:
        messages.success(request, f"{count} {done}; the developers get a mail.")
