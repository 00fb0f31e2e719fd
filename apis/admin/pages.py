"""Pieces of admin pages: a page with a form for a verb, and tables of rows."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import site
from django.db import transaction
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.errors import Refused


def change_url(row: Model) -> str:
    """Return the admin page of a row."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def link(row: Model, text: str = "") -> SafeString:
    """Return a link to the admin page of a row."""
    return format_html('<a class="text-primary-600 underline" href="{}">{}</a>', change_url(row), text or row)


def form_page(
    request: HttpRequest,
    *,
    row: Model,
    form: Form,
    title: str,
    submit: str,
    verb: Callable[[dict[str, Any]], str],
    intro: str = "",
    buttons: Iterable[tuple[str, str]] = (),
    back: str = "",
) -> HttpResponse:
    """Show a form; when it is sent, call `verb` with its data and go back to the row with what it says.

    A Refused becomes an error at the field it names, and nothing is written. `buttons` are further ones, (value,
    text): the verb finds the value of the pressed one in `request.POST["do"]`. `back` is where to go instead.
    """
    back = back or change_url(row)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                done = verb(form.cleaned_data)
        except Refused as refused:
            field = form.field_at(refused.field) if hasattr(form, "field_at") else refused.field
            form.add_error(field if field in form.fields else None, refused.message)
        else:
            messages.success(request, done)
            return HttpResponseRedirect(back)
    context = {
        **site.each_context(request),
        "title": title,
        "intro": intro,
        "form": form,
        "submit": submit,
        "opts": row._meta,
        "original": row,
        "buttons": list(buttons),
        "back": back,
    }
    return render(request, "admin/apis/form_page.html", context)


def list_page(
    request: HttpRequest,
    *,
    row: Model,
    title: str,
    intro: str,
    rows: SafeString,
    q: str | None = None,
    more: int = 0,
) -> HttpResponse:
    """Show a table about a row; `q` is what was searched for, None = nothing to search; `more` are not shown."""
    context = {
        **site.each_context(request),
        "title": title,
        "intro": intro,
        "opts": row._meta,
        "original": row,
        "searched": q is not None,
        "q": q,
        "more": more,
        "table": rows,
        "back": change_url(row),
    }
    return render(request, "admin/apis/list_page.html", context)


def table(headers: Iterable[str], rows: Iterable[Iterable[Any]], empty: str) -> SafeString:
    """Return an HTML table, its cells escaped unless they are safe; or the text `empty`, without rows."""
    context = {"headers": list(headers), "rows": [list(row) for row in rows], "empty": empty}
    return render_to_string("admin/apis/table.html", context)
