"""Drafts in the admin console: kept or thrown away by buttons beside Save, which shows them to readers."""

from typing import Any

from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from unfold.decorators import action

from accounts.drafts.keep import drop_draft, fields_of, keep_draft, with_draft
from accounts.verb_admin import VerbAdmin, person

KEEP, DROP = "keep_as_draft", "throw_draft_away"


class DraftAdmin(VerbAdmin):
    """A VerbAdmin whose texts may wait as a draft. The form shows the draft while there is one."""

    actions_submit_line = (KEEP, DROP)
    actions_detail: tuple[Any, ...] = ("preview_it",)

    def previewed(self, row: Any) -> tuple[str, str]:
        """The kind and id that the address `preview-start` takes."""
        raise NotImplementedError

    def drafted(self, given: dict[str, Any]) -> dict[str, Any]:
        """The verb's fields of what the form changed."""
        return given

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        return with_draft(row) if row is not None else None

    def get_actions_submit_line(self, request: HttpRequest, object_id: Any) -> list[Any]:
        found = super().get_actions_submit_line(request, object_id)
        row = self.model._default_manager.filter(pk=object_id).first() if object_id else None
        if row is None:
            return []
        return [each for each in found if KEEP in each.action_name or fields_of(row)]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        row = self.model._default_manager.filter(pk=object_id).first()
        if request.method == "GET" and row is not None and fields_of(row):
            messages.info(request, "This is a draft: readers see it when you save.")
        return super().change_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        if not change:
            super().save_model(request, obj, form, change)
            return
        row = self.model._default_manager.get(pk=obj.pk)
        given = {name: form.cleaned_data[name] for name in form.changed_data}
        if _pressed(request, KEEP):
            keep_draft(row=row, actor=person(request), **self.drafted(given))
        elif _pressed(request, DROP):
            drop_draft(row=row, actor=person(request))
        else:
            drafted = self.drafted(given)
            waiting = {name: each for name, each in fields_of(row).items() if name not in drafted}
            if given or waiting:
                self.change(request, row, waiting | given)
            drop_draft(row=row, actor=person(request))
        obj.refresh_from_db()

    @action(description="Keep as a draft", permissions=["change"])
    def keep_as_draft(self, request: HttpRequest, obj: Model) -> None:
        """The button; `save_model` does it."""

    @action(description="Throw the draft away", permissions=["change"])
    def throw_draft_away(self, request: HttpRequest, obj: Model) -> None:
        """The button; `save_model` does it."""

    @action(description="Preview", url_path="preview", permissions=["change"], icon="visibility")
    def preview_it(self, request: HttpRequest, object_id: str) -> HttpResponse:
        kind, pk = self.previewed(get_object_or_404(self.model, pk=object_id))
        return redirect(reverse("preview-start", args=[kind, pk]))


def _pressed(request: HttpRequest, button: str) -> bool:
    """Whether it was pressed: the theme puts app and model before a button's name."""
    return any(name.endswith(button) for name in request.POST)
