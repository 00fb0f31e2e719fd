"""Trying an operation from its page: the call goes through the portal to the gateway, and nowhere else."""

import json
import time
from threading import BoundedSemaphore
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_POST

from accounts.errors import Refused
from accounts.permissions import can_manage
from apis.models import Stage
from apis.samples import samples
from apis.stage_policies import asks_for_addresses
from portal import guard, relay, shown_once, try_keys
from portal.forms.try_it import TryForm
from portal.views.reference import operation_context, published

TRIES_A_MINUTE = 60
# each holds a thread of this process while the gateway answers
AT_ONCE = BoundedSemaphore(4)
_INVISIBLE = "application/octet-stream"


@never_cache
@sensitive_post_parameters()
@require_POST
@login_required
def send(request: HttpRequest, slug: str, version: str, operation: str) -> HttpResponse:
    """Make the call that the form describes. The whole page, or with `fragment` what of it changes."""
    found, stage, reference = published(request, slug, version)
    context = operation_context(request, found, stage, reference, operation)
    described = context["operation"]
    form = TryForm(described, request.POST, request.FILES)
    context["form"] = form
    if form.is_valid():
        context["samples"] = samples(form.sample(reference.address))
        context |= _tried(request, stage, form, reference.address)
    else:
        context["samples"] = []
    part = "fragment" in request.POST
    return render(request, "catalogue/tried.html" if part else "catalogue/operation.html", context)


@never_cache
@require_POST
@guard.in_organization(can_manage)
def make_key(
    request: HttpRequest, organization: Any, slug: str, version: str, operation: str
) -> HttpResponse:
    """A key that ends in a day, filled in on the page that asked for it."""
    found, stage, _ = published(request, slug, version)
    try:
        made = try_keys.make_key(organization=organization, stage=stage, actor=guard.person(request))
        if made is None:
            messages.error(request, "None of your subscriptions opens this API. Get a key first.")
        else:
            key, text = made
            shown_once.keep(request, try_keys.KIND, stage.pk, text, name=f"{key.name} ({key.application})")
    except Refused as refused:
        messages.error(request, refused.message)
    page = reverse("reference-operation", args=[found.api.slug, found.name, operation])
    return redirect(f"{page}#try")


@sensitive_variables()
def _tried(request: HttpRequest, stage: Stage, form: TryForm, address: str) -> dict[str, Any]:
    """Send the call; returns the answer as the page shows it, or why there is none."""
    operation = form.operation
    if asks_for_addresses(stage, operation.method, operation.path):
        return {
            "failed": "This API lets in certain addresses only, and a call from this page comes from ours. "
            "Run a sample on a machine that is let in."
        }
    if not _may_try(request):
        return {
            "failed": f"That were {TRIES_A_MINUTE} tries within a minute. Wait a moment, or run a sample."
        }
    if not AT_ONCE.acquire(blocking=False):
        return {"failed": "Others are trying calls just now. Try again in a few seconds."}
    try:
        call = form.call("")
        body, media_type = form.payload()
        headers = [
            *call.headers,
            *([("Content-Type", media_type)] if media_type else []),
            *_defaults(call.headers),
        ]
        outcome = relay.send(
            address,
            method=call.method,
            target=call.url,
            headers=headers,
            body=body,
            client=get_adapter().get_client_ip(request) or "",
        )
    except relay.NoAnswer as error:
        return {"failed": str(error)}
    finally:
        AT_ONCE.release()
    return {
        "outcome": outcome,
        "shown_body": readable(outcome),
        "milliseconds": outcome.seconds * 1_000,
        "size": len(outcome.body),
        "explain": _explain(outcome.request_id),
    }


def readable(outcome: relay.Outcome) -> str:
    """The answer's body as text; JSON indented; '' = there is none, or none that a person can read."""
    media_type = outcome.header("content-type") or _INVISIBLE
    if not outcome.body or media_type.startswith(("image/", "audio/", "video/", "font/")):
        return ""
    try:
        text = outcome.body.decode("utf-8", "ignore" if outcome.is_cut else "strict")
    except UnicodeDecodeError:
        return ""
    if "\0" in text:
        return ""
    if "json" in media_type and not outcome.is_cut:
        try:
            return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
        except ValueError:
            return text
    return text


def _defaults(headers: tuple[tuple[str, str], ...]) -> list[tuple[str, str]]:
    known = {name.lower() for name, _ in headers}
    own = {"Accept": "*/*", "User-Agent": "Gatehouse-try-it"}
    return [(name, value) for name, value in own.items() if name.lower() not in known]


def _may_try(request: HttpRequest) -> bool:
    """Count a try; False when she had all of this minute."""
    counter = f"try-it:{guard.person(request).pk}:{int(time.time() // 60)}"
    cache.add(counter, 0, 120)
    return cache.incr(counter) <= TRIES_A_MINUTE


def _explain(request_id: str) -> str:
    """The page that explains a request by its id; '' where this installation has none."""
    page = f"/console/requests/{request_id}/"
    try:
        resolve(page)
    except Resolver404:
        return ""
    return page if request_id else ""
