"""Questions before destructive acts: GET asks, POST does it and goes back."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from accounts.errors import Refused


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
) -> HttpResponse:
    """Ask `question`; on POST call `act` and return to `back`. An `act` that returns a response decides itself."""
    if request.method == "POST" and (form is None or form.is_valid()):
        return _do(request, act, back, done)
    context = {
        "question": question,
        "consequence": consequence,
        "action": action,
        "back": back,
        "form": form,
        "page": page,
        "section": "console",
        "button_class": button_class,
    }
    return render(request, "console/question.html", context)


def _do(request: HttpRequest, act: Callable[[], object], back: str, done: str) -> HttpResponse:
    try:
        answer = act()
    except Refused as refused:
        messages.error(request, refused.message)
        return redirect(back)
    if isinstance(answer, HttpResponse):
        return answer
    messages.success(request, done)
    return redirect(back)
