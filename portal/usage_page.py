"""Answers a dashboard: the whole page, the fragment that changes (`?fragment=1`), its money or a table (`?csv=`).

Money is a request of its own (`?fragment=money`): it rates subscriptions, which the counts need not wait for.
"""

from collections.abc import Callable, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render

from metering.queries import Scope
from portal import usage, usage_csv
from portal.usage_money import Money

Extra = Callable[[], dict[str, Any]]


def answer(
    request: HttpRequest,
    *,
    template: str,
    scope: Scope,
    timezone: str,
    dimensions: Sequence[str],
    context: dict[str, Any],
    whole: Extra = dict,
    money: Callable[[], Money] | None = None,
) -> HttpResponseBase:
    """`context` is what the fragment needs beside the dashboard; `whole` makes what only the whole page needs."""
    parameters = request.GET
    if "money" in (parameters.get("fragment"), parameters.get("csv")):
        return _money(request, money)
    board = usage.dashboard(scope=scope, parameters=parameters, timezone=timezone, dimensions=dimensions)
    if parameters.get("csv"):
        return usage_csv.download(parameters["csv"], board)
    context = context | {"board": board, "spans": usage.SPANS, "scope": scope, "has_money": money is not None}
    if parameters.get("fragment"):
        return render(request, "components/dashboard.html", context)
    return render(request, template, context | whole())


def _money(request: HttpRequest, money: Callable[[], Money] | None) -> HttpResponseBase:
    if money is None:
        raise Http404("no money here, or not for her")
    if request.GET.get("csv"):
        return usage_csv.money_download(money())
    return render(request, "components/money.html", {"money": money()})
