"""Rate cards: make them, change what they cost from a moment on, and say which plan is billed by which.

A change never touches the past: it makes a new version, from the next minute or from a chosen time on. Only a
card that nobody was ever billed by is changed in place.
"""

from billing.rate_cards.cards import copy_rate_card, create_rate_card, delete_rate_card
from billing.rate_cards.changes import change_rate_card, load_preset, remove_price, set_price
from billing.rate_cards.plans import price_plan
from billing.rate_cards.versions import add_version, drop_version, is_editable, is_used, next_minute

__all__ = [
    "add_version",
    "change_rate_card",
    "copy_rate_card",
    "create_rate_card",
    "delete_rate_card",
    "drop_version",
    "is_editable",
    "is_used",
    "load_preset",
    "next_minute",
    "price_plan",
    "remove_price",
    "set_price",
]
