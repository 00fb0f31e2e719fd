"""Answers the pages of the request log, for whoever may see a scope: the list, its CSV, and one call."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.errors import Refused
from billing.call_cost import CallCost, cost_of_call
from billing.documents.files import CSV, File
from billing.documents.tables import csv_lines
from metering.request_log.explain import Explanation, explain
from metering.request_log.search import PAGE
from metering.scopes import Scope
from portal import request_pages

MOST_CSV = 5_000


def answer_list(
    request: HttpRequest, *, template: str, scopes: Sequence[Scope], context: Mapping[str, Any], call: str
) -> HttpResponseBase:
    """The list of the first scope. `?id=` goes to a call of any of them; `call` is the name of that page."""
    problem = ""
    if request.GET.get("id"):
        try:
            line = request_pages.find(scopes=scopes, text=request.GET["id"])
        except Refused as refusal:
            problem = refusal.message
        else:
            whose = request.GET.get("organization", "")
            return redirect(reverse(call, args=[line.id]) + (f"?organization={whose}" if whose else ""))
    is_csv = bool(request.GET.get("csv"))
    found = request_pages.listing(scope=scopes[0], parameters=request.GET, limit=MOST_CSV if is_csv else PAGE)
    if is_csv and not found.problem:
        lines = csv_lines(request_pages.HEADER, request_pages.table(found.rows))
        return File("requests.csv", CSV, lines).response()
    shown = {"found": found, "id_problem": problem, "call_page": call, **request_pages.choices()}
    return render(request, template, {**context, **shown})


def answer_call(
    request: HttpRequest,
    *,
    template: str,
    scopes: Sequence[Scope],
    pk: UUID,
    context: Mapping[str, Any],
    for_provider: bool,
    sees_money: bool,
) -> HttpResponseBase:
    """One call; 404, with what may be the matter, for one that none of the scopes has. Its cost is a fragment."""
    try:
        line = request_pages.find(scopes=scopes, text=str(pk))
    except Refused as refusal:
        layout, listing = ("provider", "provider-requests") if for_provider else ("console", "requests")
        missing = {
            "problem": refusal.message,
            "id": pk,
            "page_layout": f"layouts/{layout}.html",
            "list_page": reverse(listing),
        }
        return render(request, "components/request_missing.html", {**context, **missing}, status=404)
    told = explain(line, for_provider=for_provider)
    if request.GET.get("fragment") == "cost":
        cost = _cost(told) if sees_money else None
        return render(request, "components/request_cost.html", {"told": told, "cost": cost})
    shown = {"told": told, "line": line, "for_provider": for_provider, "sees_money": sees_money}
    return render(request, template, {**context, **shown})


def _cost(told: Explanation) -> CallCost | None:
    line = told.line
    if not told.billable or told.subscription is None:
        return None
    return cost_of_call(
        subscription=told.subscription,
        api_id=line.api_id,
        at=line.at,
        bytes_in=line.bytes_in,
        bytes_out=line.bytes_out,
    )
