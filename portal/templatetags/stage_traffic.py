"""What a stage's admin page shows of its traffic. The room of stages lies below the one that counts calls."""

from datetime import timedelta
from typing import Any

from django import template
from django.utils.timezone import now

from apis.models import Stage
from metering.queries import Scope, Span, breakdown, summary

register = template.Library()

SPAN = timedelta(hours=24)


@register.inclusion_tag("admin/apis/stage/traffic.html")
def stage_traffic(stage: Stage | None) -> dict[str, Any]:
    """Canary beside base, and how often the cache had an answer, in the last 24 hours. Two queries."""
    if stage is None:
        return {"totals": None, "parts": []}
    end = now() + timedelta(seconds=1)
    span, scope = Span(end - SPAN, end), Scope(provider=stage.organization_id, stage=stage.pk)
    totals = summary(scope=scope, span=span)
    return {"totals": totals, "parts": breakdown(scope=scope, span=span, by="canary")}
