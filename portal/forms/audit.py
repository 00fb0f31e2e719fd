"""What an audit trail is narrowed by."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet

from accounts.models import AuditEvent
from portal.forms.dates import DateField


class AuditFilters(forms.Form):
    """All may be empty; what makes no sense counts as empty, and is told at its field."""

    who = forms.CharField(label="Who", required=False, max_length=100, help_text="A part of the address")
    what = forms.CharField(
        label="What", required=False, max_length=100, help_text="Words, or an action: key.revoked"
    )
    target = forms.CharField(label="About", required=False, max_length=100, help_text="An id, or a kind: key")
    since = DateField(label="From", required=False)
    until = DateField(label="Until", required=False)

    def narrow(self, events: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        """Keep the lines that fit. Days are UTC's, `until` is included."""
        self.is_valid()
        given = self.cleaned_data
        if who := given.get("who"):
            events = events.filter(actor_label__icontains=who)
        if what := given.get("what"):
            events = events.filter(Q(action__istartswith=what) | Q(summary__icontains=what))
        if target := given.get("target"):
            events = events.filter(_about(target))
        if since := given.get("since"):
            events = events.filter(at__gte=_midnight(since))
        if until := given.get("until"):
            events = events.filter(at__lt=_midnight(until) + timedelta(days=1))
        return events

    @property
    def narrows(self) -> bool:
        """Whether anything is asked for."""
        return any(self.data.get(name) for name in self.fields)


def _about(target: str) -> Q:
    """`key`, `a1b2c3d4e5`, or `key:a1b2c3d4e5`."""
    kind, colon, pk = target.strip().partition(":")
    if colon:
        return Q(target_kind=kind, target_id=pk)
    return Q(target_id=target.strip()) | Q(target_kind=target.strip().lower())


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), UTC)
