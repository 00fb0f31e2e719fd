"""The gateway nodes, for staff of the installation: what they run, their load, and what is wrong with them."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from nodes.entries import newest_generation
from nodes.models import Node
from nodes.registry import disable_node, enable_node
from nodes.troubles import states
from portal import guard, provider_scope
from portal.views.questions import ask


@never_cache
@login_required
def listing(request: HttpRequest) -> HttpResponse:
    """All nodes; `?fragment=1` is the part that keeps itself fresh."""
    provider_scope.demand_staff(request, "nodes.view_node")
    newest = newest_generation()
    found = states(newest=newest, at=now())
    calls = [each.calls for each in found if each.state == "up" and each.calls is not None]
    context = provider_scope.context(request, None, "nodes") | {
        "nodes": found,
        "newest": newest,
        "up": sum(each.state == "up" for each in found),
        "expected": sum(each.state != "disabled" for each in found),
        "in_trouble": sum(bool(each.troubles) for each in found),
        "calls": sum(calls) if calls else None,
        "may_change": request.user.has_perm("nodes.change_node"),
    }
    part = request.GET.get("fragment") == "1"
    return render(request, f"provider/{'node_list' if part else 'nodes'}.html", context)


@login_required
def disable(request: HttpRequest, pk: str) -> HttpResponse:
    node = _node(request, pk)
    return ask(
        request,
        question=f"Disable the node {node}?",
        consequence="It serves on from what it has, but gets no changes and delivers no counts. Drain it first: "
        "take it out of your load balancer, and wait until its spool is empty (docs/operations.md).",
        action="Disable the node",
        back=reverse("nodes"),
        act=lambda: disable_node(node=node, actor=guard.person(request)),
        done=f"{node} is disabled.",
        page="nodes",
        template="provider/ask.html",
        context=provider_scope.context(request, None, "nodes"),
    )


@require_POST
@login_required
def enable(request: HttpRequest, pk: str) -> HttpResponse:
    node = _node(request, pk)
    enable_node(node=node, actor=guard.person(request))
    messages.success(request, f"{node} is let in again.")
    return redirect("nodes")


def _node(request: HttpRequest, pk: str) -> Node:
    provider_scope.demand_staff(request, "nodes.change_node")
    return get_object_or_404(Node, pk=pk)
