"""Django admin that writes through verbs: a refusal becomes an error at its field, and nothing is written."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from accounts.errors import Refused
from accounts.models import User
from accounts.telling import refusal_as_message


def person(request: HttpRequest) -> User:
    """Return who is signed in; the admin console lets nobody else in."""
    assert isinstance(request.user, User)
    return request.user


def show_once(request: HttpRequest, what: str, text: str) -> None:
    """Show a new secret in a message: it is nowhere stored, and a reload does not bring it back."""
    messages.warning(request, f"Copy the {what} now, it is shown only this once: {text}")


class _RefusedForm(ModelForm):
    """Mixed into a form whose verb said no: shows the refusal at the field it names."""

    refusal: Refused

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        field = self.refusal.field if self.refusal.field in self.fields else None
        self.add_error(field, self.refusal.message)
        return cleaned


class VerbAdmin(ModelAdmin):
    """An admin page for rows that only verbs may write.

    A subclass gives `create` and `change` (and sets `has_add_permission` and the like where a verb is
    missing). `create` gets the form's cleaned data and returns the new row; `change` gets the row as it is
    in the database and the fields that were changed.
    """

    # the theme renders a template for each cell: fifty rows take 0.1 s and more
    list_per_page = 30

    def create(self, request: HttpRequest, data: dict[str, Any]) -> Model:
        raise NotImplementedError

    def change(self, request: HttpRequest, row: Any, data: dict[str, Any]) -> None:
        raise NotImplementedError

    def remove(self, request: HttpRequest, row: Any) -> None:
        raise NotImplementedError

    # nothing is deleted unless a subclass has a verb for it
    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return type(self).remove is not VerbAdmin.remove and super().has_delete_permission(request, obj)

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        refusal = getattr(request, "refusal", None)
        if refusal is None:
            return form
        return type(form)(form.__name__, (_RefusedForm, form), {"refusal": refusal})

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        if change:
            changed = {name: form.cleaned_data[name] for name in form.changed_data}
            row = self.model._default_manager.get(pk=obj.pk)
            if changed:
                self.change(request, row, changed)
        else:
            obj.pk = self.create(request, form.cleaned_data).pk
            obj._state.adding = False
        obj.refresh_from_db()

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Verbs write a row's relations; only inlines are left, which go to `save_formset`."""
        for formset in formsets:
            self.save_formset(request, form, formset, change)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        try:
            with transaction.atomic():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except Refused as refused:
            # once more, with a form that knows why; it is not valid, so nothing is written
            request.refusal = refused  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, extra_context)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.remove(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        self.each(request, queryset, lambda row: self.remove(request, row), "Deleted")

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        try:
            with transaction.atomic():
                return super().delete_view(request, object_id, extra_context)
        except Refused as refused:
            messages.error(request, refused.message)
            return HttpResponseRedirect(request.path.removesuffix("delete/") + "change/")

    def each(self, request: HttpRequest, rows: QuerySet[Any], verb: Callable[[Any], Any], done: str) -> None:
        """Apply a verb to each row of an action, and tell which it refused and why."""
        count = 0
        for row in rows:
            with refusal_as_message(request):
                verb(row)
                count += 1
        if count:
            messages.success(request, f"{done}: {count}")
