"""Questions before destructive acts: GET asks, POST does it and goes back."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.errors import Refused
from accounts.sentences import one_dot


def ask(
    request: HttpRequest,
    *,
    question: str,
    consequence: str,
    action: str,
    back: str,
    act: Callable[[], object],
    done: str,
    page: str,
    form: forms.Form | None = None,
    button_class: str = "button--danger",
    template: str = "console/question.html",
    context: dict[str, Any] | None = None,
) -> HttpResponse:
    """Ask `question`; on POST call `act` and return to `back`. An `act` that returns a response decides itself.

    A Refused is told on the page that asks, at its field, if that has a form; else on the page one goes back to.
    `template` and `context` are for pages of other parts of the site.
    """
    if request.method == "POST" and (form is None or form.is_valid()):
        answer = _do(request, act, back, done, form)
        if answer is not None:
            return answer
    shown = {
        "question": question,
        "consequence": one_dot(consequence),
        "action": action,
        "back": back,
        "form": form,
        "page": page,
        "section": "console",
        "button_class": button_class,
    }
    return render(request, template, shown | (context or {}))


def _do(
    request: HttpRequest, act: Callable[[], object], back: str, done: str, form: forms.Form | None
) -> HttpResponse | None:
    try:
        answer = act()
    except Refused as refused:
        if form is not None and refused.field in form.fields:
            form.add_error(refused.field, refused.message)
            return None
        messages.error(request, refused.message)
        return redirect(back)
    if isinstance(answer, HttpResponse):
        return answer
    messages.success(request, done)
    return redirect(back)
