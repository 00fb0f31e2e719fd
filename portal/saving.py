"""What the buttons of a form do whose texts can wait as a draft (templates/provider/draft_buttons.html)."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest

from accounts.drafts.keep import drop_draft, keep_draft
from portal import guard


def save_or_keep(
    request: HttpRequest,
    row: Any,
    form: forms.BaseForm,
    verb: Callable[..., object],
    read: Callable[[dict[str, Any]], dict[str, Any]] = dict,
) -> str:
    """Do what the pressed button says: keep a draft, throw it away, or show the form's fields to readers.

    `verb` takes the row, `actor` and fields; `read` makes these of cleaned data. Refused: as verb or draft say.
    """
    actor = guard.person(request)
    if "draft" in request.POST:
        changed = {name: form.cleaned_data[name] for name in form.changed_data}
        keep_draft(row=row, actor=actor, **read(changed))
        return "Kept as a draft: readers see it when you save it without."
    if "drop" not in request.POST:
        verb(row, actor=actor, **read(form.cleaned_data))
    drop_draft(row=row, actor=actor)
    return "The draft is gone." if "drop" in request.POST else "Saved."
