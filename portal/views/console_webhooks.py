"""Webhooks: endpoints, their secrets and what was sent to them."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from accounts.models import Organization, WebhookDelivery, WebhookEndpoint
from accounts.permissions import can_administer
from accounts.telling import refusal_as_message
from accounts.webhooks import endpoints
from portal import guard, shown_once
from portal.forms.webhooks import RotateForm, WebhookEditForm, WebhookForm
from portal.refusals import refusals_to
from portal.views.questions import ask
from portal.watched import Watched, watch

PAGE = {"section": "console", "page": "webhooks"}
MOST_DELIVERIES = 50
_FRAGMENTS = {"state": "console/webhook_state.html", "deliveries": "console/webhook_deliveries.html"}


@guard.in_organization(can_administer)
def page(request: HttpRequest, organization: Organization) -> HttpResponse:
    """The endpoints, and the form for a new one."""
    form = WebhookForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            endpoint, secret = endpoints.create_endpoint(
                organization=organization, actor=guard.person(request), **form.cleaned_data
            )
            return _show_once(request, endpoint, secret)
    context = PAGE | {"form": form, "endpoints": list(organization.webhook_endpoints.all())}
    return render(request, "console/webhooks.html", context)


@guard.in_organization(can_administer)
def detail(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    """One endpoint: what it gets, and its newest deliveries.

    `?watch=` a delivery's id: the page keeps itself fresh until that is delivered or failed; `&fragment=` only the
    part that does so.
    """
    endpoint = guard.own(WebhookEndpoint, organization, pk)
    names = ("url", "description", "event_types", "enabled")
    form = WebhookEditForm(request.POST or None, initial={name: getattr(endpoint, name) for name in names})
    if request.method == "POST" and form.is_valid():
        with refusals_to(form):
            endpoints.change_endpoint(endpoint=endpoint, actor=guard.person(request), **form.cleaned_data)
            messages.success(request, "Saved.")
            return redirect("webhook", pk=pk)
    deliveries = endpoint.deliveries.select_related("event")[:MOST_DELIVERIES]
    watched = _watched(request, endpoint)
    context = PAGE | {"endpoint": endpoint, "form": form, "deliveries": list(deliveries), "watched": watched}
    template = _FRAGMENTS.get(request.GET.get("fragment", ""), "console/webhook.html")
    if watched is None and template in _FRAGMENTS.values():
        raise Http404
    return render(request, template, context)


@never_cache
@guard.in_organization(can_administer)
def show(request: HttpRequest, organization: Organization) -> HttpResponse:
    kept = shown_once.take(request, "webhook", organization.pk)
    return render(request, "console/webhook_shown.html", PAGE | {"kept": kept})


@guard.in_organization(can_administer)
def rotate(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    endpoint = guard.own(WebhookEndpoint, organization, pk)
    form = RotateForm(request.POST or None)

    def act() -> HttpResponse:
        fresh, secret = endpoints.rotate_secret(
            endpoint=endpoint, actor=guard.person(request), overlap=form.overlap()
        )
        return _show_once(request, fresh, secret)

    return ask(
        request,
        question=f"New secret for {endpoint}?",
        consequence="It signs at once. Until the old one ends, each event carries a signature by either.",
        action="Make a new secret",
        back=reverse("webhook", args=[pk]),
        act=act,
        done="",
        page="webhooks",
        form=form,
        button_class="button--primary",
    )


@guard.in_organization(can_administer)
def delete(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    endpoint = guard.own(WebhookEndpoint, organization, pk)
    return ask(
        request,
        question=f"Delete the webhook {endpoint}?",
        consequence="Nothing is sent to it any more, also nothing that waits.",
        action="Delete the webhook",
        back=reverse("webhooks"),
        act=lambda: endpoints.delete_endpoint(endpoint=endpoint, actor=guard.person(request)),
        done=f"{endpoint} is deleted.",
        page="webhooks",
    )


@require_POST
@guard.in_organization(can_administer)
def test(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    endpoint = guard.own(WebhookEndpoint, organization, pk)
    with refusal_as_message(request):
        delivery = endpoints.send_test(endpoint=endpoint, actor=guard.person(request))
        return _to_watch(delivery)
    return redirect("webhook", pk=pk)


@require_POST
@guard.in_organization(can_administer)
def resend(request: HttpRequest, organization: Organization, pk: str) -> HttpResponse:
    rows = WebhookDelivery.objects.select_related("endpoint", "event")
    delivery = guard.own(rows, organization, pk)
    with refusal_as_message(request):
        endpoints.resend(delivery=delivery, actor=guard.person(request))
        return _to_watch(delivery)
    return redirect("webhook", pk=delivery.endpoint_id)


def _to_watch(delivery: WebhookDelivery) -> HttpResponse:
    return redirect(f"{reverse('webhook', args=[delivery.endpoint_id])}?watch={delivery.pk}")


def _watched(request: HttpRequest, endpoint: WebhookEndpoint) -> Watched | None:
    """Return the delivery that the page waits for; an id that is none of the endpoint's is nobody's."""
    wanted = request.GET.get("watch", "")
    if not wanted.isascii() or not wanted.isalnum():
        return None
    delivery = endpoint.deliveries.select_related("event").filter(pk=wanted).first()
    return watch(delivery) if delivery else None


def _show_once(request: HttpRequest, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
    shown_once.keep(
        request, "webhook", endpoint.organization_id, secret, name=str(endpoint), endpoint=endpoint.pk
    )
    return redirect("webhook-shown")
