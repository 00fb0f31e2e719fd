"""Previews: begin, by right or by link; share; leave."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.audit import record
from accounts.portal_address import portal_url
from portal import guard, preview


class ShareForm(forms.Form):
    days = forms.TypedChoiceField(
        label="The link holds for",
        coerce=int,
        choices=[(each, f"{each} day{'s' if each > 1 else ''}") for each in preview.LINK_DAYS],
        initial=7,
    )


@never_cache
@require_safe
@login_required
def start(request: HttpRequest, kind: str, pk: str) -> HttpResponse:
    """Begin a preview of what she may read; 404 else."""
    if kind not in preview.KINDS or not preview.may_preview(request, kind, pk):
        raise Http404("nothing to preview, or not for her")
    found = preview.own_preview(kind, pk)
    preview.begin(request, found)
    return redirect(found.place())


@never_cache
@require_safe
def enter(request: HttpRequest, text: str) -> HttpResponse:
    """Begin one by a link."""
    found = preview.read_link(text)
    if found is None:
        raise Http404("This preview is over. Ask for a new link.")
    try:
        place = found.place()
    except ObjectDoesNotExist as error:
        raise Http404("it is gone") from error
    preview.begin(request, found)
    return redirect(place)


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    preview.leave(request)
    messages.success(request, "You see what readers see again.")
    return redirect("home")


@never_cache
@login_required
def share(request: HttpRequest, kind: str, pk: str) -> HttpResponse:
    """Make a link for somebody without an account; the audit trail tells who did."""
    if kind not in preview.KINDS or not preview.may_preview(request, kind, pk):
        raise Http404("nothing to preview, or not for her")
    if not preview.may_share(request, kind, pk):
        raise PermissionDenied("Your role does not allow to share this. Ask the organization's owner.")
    row = preview.row_of(kind, pk)
    form = ShareForm(request.POST or None)
    context = {"form": form, "what": "the website" if kind == preview.WEBSITE else str(row)}
    context["back"] = reverse("preview-start", args=[kind, pk])
    if request.method == "POST" and form.is_valid():
        days = form.cleaned_data["days"]
        text = preview.link_text(kind, pk, days)
        record(
            organization=getattr(row, "organization", None),
            actor=guard.person(request),
            action="preview.shared",
            target=row,
            summary=f"Made a link to the preview of {context['what']} for {days} days",
        )
        address = f"{portal_url()}{reverse('preview', args=[text])}"
        context |= {"link": address, "until": preview.read_link(text).until}  # type: ignore[union-attr]
    return render(request, "catalogue/preview_share.html", context)
