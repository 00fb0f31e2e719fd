"""Mail that would have been sent, on a page. Only where there is no mail server to send it: not in production."""

import re
from datetime import UTC, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache

from portal.outbox import Message, messages

_LINK = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)]")


@never_cache
def listing(request: HttpRequest) -> HttpResponse:
    found = [_row(each) for each in _messages()]
    return render(request, "outbox/list.html", {"section": "outbox", "rows": found})


@never_cache
def message(request: HttpRequest, name: str) -> HttpResponse:
    found = next((each for each in _messages() if each.id == name), None)
    if found is None:
        raise Http404("no such message")
    context = {"section": "outbox", "row": _row(found), "text": with_links(found.text)}
    return render(request, "outbox/message.html", context)


def with_links(text: str) -> str:
    """The text, escaped, with its http(s) addresses as links."""
    parts: list[str] = []
    end = 0
    for match in _LINK.finditer(text):
        address = escape(match.group())
        parts += [escape(text[end : match.start()]), f'<a href="{address}">{address}</a>']
        end = match.end()
    return mark_safe("".join([*parts, escape(text[end:])]))  # noqa: S308 -- every part is escaped


def _messages() -> list[Message]:
    if settings.GATEHOUSE_MODE == "production":
        raise Http404("there is no outbox in production")
    return messages()


def _row(each: Message) -> dict[str, object]:
    return {"message": each, "sent_at": datetime.fromtimestamp(each.sent_at, tz=UTC)}
