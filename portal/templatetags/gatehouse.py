"""Filters and tags of the pages: formats, fields, badges, code blocks, meters."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms, template
from django.forms import BoundField
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timezone import now

from accounts.sentences import ended
from billing.models import Invoice
from portal import formats, markdown
from portal.usage_span import with_parameters

register = template.Library()
register.filter("number", formats.number)
register.filter("size", formats.size)
register.filter("milliseconds", formats.milliseconds)
register.filter("moment", formats.moment)
register.filter("ended", ended)

# what a state means, whatever it is the state of
_TONES = {
    "active": "good", "published": "good", "paid": "good", "live": "good", "succeeded": "good",
    "pending": "warn", "draft": "warn", "deprecated": "warn", "disabled": "warn", "suspended": "warn",
    "retired": "bad", "revoked": "bad", "cancelled": "bad", "void": "bad", "expired": "bad",
    "failed": "bad", "overdue": "bad", "delivered": "good", "failing": "warn",
    "answered": "good", "passed": "good", "refused": "warn",
    "finalized": "accent", "test": "accent", "added": "good", "changed": "accent", "removed": "bad", "breaking": "bad",
    "error": "bad", "warning": "warn", "info": "accent", "unserved": "bad", "canary": "accent",
}  # fmt: skip


@register.filter
def money(amount: Decimal | None, currency: str = "USD") -> str:
    return formats.money(amount, currency)


@register.filter
def quantity(amount: Decimal) -> str:
    """A billed quantity: whole units as they are, parts (GiB) with four decimals, or what a tiny part needs."""
    if amount == amount.to_integral_value():
        return f"{amount:,.0f}"
    return f"{amount:,.4f}" if abs(amount) >= Decimal("0.0001") else formats.number(amount)


@register.filter
def of(values: Mapping[Any, Any], key: Any) -> Any:
    """What a mapping holds for a key that a template has in its hands; None = nothing."""
    return values.get(key)


@register.filter
def share_of(part: float, whole: float) -> str:
    return formats.share(part, whole)


@register.filter
def ago(at: datetime | None) -> str:
    """`5 min ago`; `never` for nothing."""
    if at is None:
        return "never"
    text = formats.span_of_time(now() - at)
    return "just now" if text == "now" else f"{text} ago"


@register.filter
def when(at: datetime | None) -> str:
    """A moment as a `<time>` element, UTC."""
    if at is None:
        return formats.DASH
    return format_html('<time datetime="{}" class="nowrap">{}</time>', at.isoformat(), formats.moment(at))


@register.filter
def to_second(at: datetime) -> str:
    """A moment to the second as a `<time>` element, UTC."""
    return format_html(
        '<time datetime="{}" class="nowrap">{}</time>', at.isoformat(), f"{at:%Y-%m-%d %H:%M:%S} UTC"
    )


@register.filter
def took(milliseconds: int) -> str:
    """Whole milliseconds of one call, as nginx counts them."""
    if milliseconds < 1_000:
        return f"{milliseconds} ms" if milliseconds else "< 1 ms"
    return formats.milliseconds(milliseconds)


@register.filter
def verdict_words(verdict: str) -> str:
    """`THROTTLED` -> `Throttled`, `INVALID_API_KEY` -> `Invalid API key`."""
    return verdict.replace("_", " ").capitalize().replace("api", "API").replace("Api", "API")


@register.filter
def change_from(part: float | None, before: float | None) -> str:
    """`+12 %` against the span before; nothing where there is nothing to compare with."""
    if not before or part is None:
        return "none before" if part else "as before"
    percent = 100 * (part - before) / before
    return f"{percent:+,.0f} % on the span before" if round(percent) else "as before"


@register.simple_tag(takes_context=True)
def share(context: Mapping[str, Any]) -> str:
    """A query string that shows the dashboard to others as it is now: with its organization, its span fixed."""
    provider = context.get("provider")
    of = {"organization": provider.pk} if provider and not context.get("everyone") else {}
    return zoom(context, context["board"].chosen.fixed | of)


@register.simple_tag(takes_context=True)
def zoom(context: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    """The page's own query string with another span."""
    given = context["request"].GET.dict()
    kept = {name: value for name, value in given.items() if name not in ("span", "from", "to", "fragment")}
    return with_parameters(kept | dict(parameters))


@register.filter
def as_markdown(text: str) -> SafeString:
    return mark_safe(markdown.render(text))  # noqa: S308 -- cleaned by an allow list in portal/markdown.py


@register.simple_tag
def badge(state: str, label: str = "") -> str:
    """A state as a coloured word."""
    tone = _TONES.get(state, "")
    css = f"badge badge--{tone}" if tone else "badge"
    return format_html('<span class="{}">{}</span>', css, label or state.replace("_", " ").capitalize())


@register.simple_tag
def period(invoice: Invoice, *, full: bool = False) -> str:
    """`November 2026` in the provider's calendar; `full`: its first and last day."""
    zone = ZoneInfo(invoice.organization.timezone)
    start, end = invoice.period_start.astimezone(zone), invoice.period_end.astimezone(zone)
    if not full:
        return f"{start:%B %Y}"
    return f"{start:%Y-%m-%d} to {end - timedelta(seconds=1):%Y-%m-%d}"


@register.inclusion_tag("components/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """A form field with label, hint and error, tied together for screen readers."""
    widget = bound.field.widget
    described = [f"{bound.auto_id}_helptext"] if bound.help_text else []
    if bound.errors:
        described.append(f"{bound.auto_id}_error")
    if described:
        widget.attrs["aria-describedby"] = " ".join(described)
    # the label says it in words; allauth's placeholders would say it twice
    widget.attrs.pop("placeholder", None)
    kind = "checkbox" if isinstance(widget, forms.CheckboxInput) else ""
    if isinstance(widget, forms.CheckboxSelectMultiple):
        kind = "choices"
    needed = bound.field.required or getattr(bound.field, "needed", False)
    optional = not needed and not isinstance(widget, forms.Select)
    return {"field": bound, "kind": kind, "optional": optional}


@register.inclusion_tag("components/code.html")
def code(text: str, id: str, kind: str = "", label: str = "Copy") -> dict[str, str]:  # noqa: A002 -- as in HTML
    """A code block with a copy button. `kind`: `code--wrap` breaks long lines, `secret` is larger."""
    return {"text": text, "id": id, "kind": kind, "label": label}


@register.inclusion_tag("components/meter.html")
def meter(id: str, label: str, used: int, limit: int, unit: str = "calls") -> dict[str, Any]:  # noqa: A002
    """How much of a limit is used."""
    percent = 100 * used / limit if limit else 100
    return {
        "id": id,
        "label": label,
        "value": f"{min(percent, 100):.2f}",
        "share": int(percent),
        "note": f"{used:,} of {limit:,} {unit} · {formats.share(used, limit)}",
    }


@register.simple_tag(takes_context=True)
def query(context: Mapping[str, Any], **changes: Any) -> str:
    """The page's own query string with some parameters changed (None = without it)."""
    parameters = {**context["request"].GET.dict(), **changes}
    parameters.pop("fragment", None) if "fragment" not in changes else None
    kept = {name: value for name, value in parameters.items() if value not in (None, "")}
    return "?" + urlencode(kept)
