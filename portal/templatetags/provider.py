"""What the provider's pages count and name."""

from django import template
from django.utils.html import format_html

from access.queries import waiting_for_approval
from accounts.models import Organization
from portal import customers

register = template.Library()


@register.simple_tag
def waiting_count(provider: Organization) -> int:
    """How many subscriptions and changes of plan wait for its answer. One query."""
    return waiting_for_approval(provider).count()


_TONES = {customers.GOOD: "good", customers.LATE: "bad", customers.SUSPENDED: "warn", customers.SHUT: "bad"}


@register.simple_tag
def standing(name: str, words: str) -> str:
    """How a customer stands, as a coloured word."""
    return format_html('<span class="badge badge--{}">{}</span>', _TONES[name], words)
