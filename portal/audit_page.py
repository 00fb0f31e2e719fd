"""Answers an audit trail: the page with its filters, or all that fits as CSV (`?csv=1`)."""

import json
from collections.abc import Iterator
from typing import Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from accounts.models import AuditEvent
from billing.documents.files import CSV, File
from billing.documents.tables import csv_lines
from portal.forms.audit import AuditFilters

PER_PAGE = 50
MOST_LINES = 100_000
HEADER = ("at", "organization", "actor", "action", "target_kind", "target_id", "summary", "changes")


def answer(
    request: HttpRequest, *, template: str, events: QuerySet[AuditEvent], context: dict[str, Any]
) -> HttpResponseBase:
    """`events` are those that she may see, newest first."""
    form = AuditFilters(request.GET)
    found = form.narrow(events)
    if request.GET.get("csv"):
        return File("audit.csv", CSV, csv_lines(HEADER, _lines(found[:MOST_LINES]))).response()
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, template, context | {"form": form, "rows": page})


def _lines(events: QuerySet[AuditEvent]) -> Iterator[tuple[str, ...]]:
    for each in events.iterator(chunk_size=2_000):
        yield (
            each.at.isoformat(),
            each.organization_id or "",
            each.actor_label,
            each.action,
            each.target_kind,
            each.target_id,
            each.summary,
            json.dumps(each.changes) if each.changes else "",
        )
