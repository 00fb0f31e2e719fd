"""The node's door to the control plane; docs/structure.md names each call."""

from dataclasses import asdict

from django.http import HttpRequest, HttpResponse, JsonResponse

from gateway.entries import Entry as EntryShape
from metering import intake
from metering.request_log.take import MOST_LINES, take_lines
from nodes import entries, leases, registry, shares, wanted
from nodes.compile_tls import opened
from nodes.door import Problem, json_body, node_view, number, text, whole
from nodes.models import Node
from nodes.waiting import wait_for_change

# the longest a node may wait for a change (seconds)
LONGEST_WAIT = 25


@node_view("GET")
def changes(request: HttpRequest, _node: Node) -> HttpResponse:
    """`GET entries?after=N&wait=S`: what the node does not have yet; waits up to S seconds for something."""
    after, wait = _number(request, "after"), min(_number(request, "wait"), LONGEST_WAIT)
    found = entries.snapshot(after=after)
    if wait and not found.entries and not found.full and wait_for_change(after=after, seconds=wait):
        found = entries.snapshot(after=after)
    rows = [
        asdict(EntryShape(each.kind, each.key, each.generation, opened(each.kind, each.key, each.data)))
        for each in found.entries
    ]
    return JsonResponse(
        {"generation": found.generation, "entries": rows, "more": found.more, "full": found.full}
    )


@node_view("GET")
def digest(_request: HttpRequest, _node: Node) -> HttpResponse:
    """`GET digest`: all entries in one number, for a node that wonders whether it has them."""
    return JsonResponse(asdict(entries.digest()))


def _number(request: HttpRequest, name: str) -> int:
    given = request.GET.get(name, "0")
    if not given.isascii() or not given.isdigit() or len(given) > 18:
        raise Problem(400, f"{name} must be a whole number.")
    return int(given)


@node_view("POST")
def lease(request: HttpRequest, node: Node) -> HttpResponse:
    """`POST leases`: a slice of a subscription's quota, or of one of its keys'."""
    body = json_body(request)
    grant = leases.lease(
        node=node,
        subscription_id=text(body, "subscription", longest=10),
        key_id=text(body, "key", longest=10, default=""),
        want=whole(body, "want", least=1, default=1),
        offline_spent=whole(body, "offline_spent", default=0),
        request=text(body, "request", longest=64, default=""),
    )
    if grant is None:
        raise Problem(404, "There is no such subscription, or its plan has no quota.")
    return JsonResponse(asdict(grant))


@node_view("POST")
def give_back(request: HttpRequest, node: Node) -> HttpResponse:
    """`POST leases/return`: units that the node will not spend."""
    body = json_body(request)
    returned = leases.give_back(
        node=node,
        subscription_id=text(body, "subscription", longest=10),
        key_id=text(body, "key", longest=10, default=""),
        epoch=whole(body, "epoch", default=0),
        starts_at=_moment(whole(body, "starts_at")),
        units=whole(body, "units"),
        request=text(body, "request", longest=64, default=""),
    )
    return JsonResponse({"returned": returned})


def _moment(seconds: int) -> int:
    if seconds > 253_402_300_799:  # the year 9999
        raise Problem(400, "starts_at must be Unix seconds.")
    return seconds


@node_view("POST")
def share(request: HttpRequest, node: Node) -> HttpResponse:
    """`POST shares`: what the node needs of its throttles, and what it gets of each."""
    body = json_body(request, largest=256 * 1024)
    told = body.get("limits", {})
    if not isinstance(told, dict) or len(told) > shares.MOST_LIMITS:
        raise Problem(400, f"limits must be an object of at most {shares.MOST_LIMITS} limits.")
    default = None if body.get("default") is None else number(body, "default", most=1)
    answer = shares.post(
        node=node,
        sequence=whole(body, "sequence", least=1),
        default=default,
        wishes={name: _wish(name, wish) for name, wish in told.items()},
    )
    if answer is None:
        raise Problem(409, "A newer post of this node came before.")
    return JsonResponse(asdict(answer))


def _wish(name: str, wish: object) -> shares.Wish:
    if not isinstance(wish, dict) or not 0 < len(name) <= 120 or "\0" in name or name == shares.ALL:
        raise Problem(400, "Each limit must have a name of at most 120 characters and be an object.")
    return shares.Wish(
        share=number(wish, "share", most=1),
        demand=number(wish, "demand", most=1e6),
        freed=number(wish, "freed"),
        hungry=bool(wish.get("hungry")),
        rate=number(wish, "rate"),
        burst=number(wish, "burst"),
    )


@node_view("POST")
def usage(request: HttpRequest, node: Node) -> HttpResponse:
    """`POST usage`: a batch of counts; a repeat changes nothing."""
    try:
        accepted = intake.accept_batch(node_id=node.pk, batch=json_body(request))
    except intake.BadBatch as error:
        raise Problem(400, str(error)) from error
    if accepted:
        return JsonResponse({"accepted": True}, status=201)
    return JsonResponse({"accepted": False, "reason": "already have it"})


@node_view("POST")
def requests(request: HttpRequest, node: Node) -> HttpResponse:
    """`POST requests`: lines of the request log; those that are there already change nothing."""
    body = json_body(request)
    lines = body.get("lines")
    if not isinstance(lines, list) or len(lines) > MOST_LINES:
        raise Problem(400, f"lines must be a list of at most {MOST_LINES}.")
    return JsonResponse({"taken": take_lines(node_id=node.pk, lines=lines)}, status=201)


@node_view("POST")
def status(request: HttpRequest, node: Node) -> HttpResponse:
    """`POST status`: what the node says of itself.

    The answer is the newest generation there is, and the leases whose unspent units others want.
    """
    body = json_body(request, largest=1024 * 1024)
    told = body.get("status", {})
    if not isinstance(told, dict):
        raise Problem(400, "status must be an object.")
    said = {
        "generation": whole(body, "generation"),
        "version": text(body, "version", longest=200, default=""),
        "status": told,
    }
    registry.report(node=node, status=said)
    asked = [asdict(each) for each in wanted.wanted_of(node)]
    return JsonResponse({"generation": entries.newest_generation(), "wanted": asked})
