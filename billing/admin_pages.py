"""What billing's admin pages share: leaving a dialog, and saying why a verb refused."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.errors import Refused


def go(request: HttpRequest, url: str) -> HttpResponse:
    """Leave a dialog: htmx follows HX-Redirect, a plain form follows the redirect."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def given(form: Form) -> dict[str, Any]:
    """Return what a dialog's form was given, without the theme's own field."""
    return {name: value for name, value in form.cleaned_data.items() if name != "_form_submitted"}


class SaysWhy:
    """A model admin whose verbs may refuse: the reason becomes a message, and nothing is written."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _or_message(request, super().changeform_view, *args, **kwargs)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _or_message(request, super().delete_view, *args, **kwargs)  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _or_message(request, super().changelist_view, *args, **kwargs)  # type: ignore[misc]


def _or_message(request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    try:
        with transaction.atomic():
            return view(request, *args, **kwargs)
    except Refused as refused:
        messages.error(request, refused.message)
        return HttpResponseRedirect(request.get_full_path())
