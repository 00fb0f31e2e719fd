"""What a node said of itself, as lines that a person reads."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.timesince import timesince

from nodes.models import Node


def facts(node: Node) -> list[tuple[str, str]]:
    """Return (what, value) pairs of the node's last report; what it did not say is left out."""
    said = node.status
    nginx = said.get("nginx")
    nginx = nginx if isinstance(nginx, dict) else {}
    found = [(name, _shown(source.get(key), how)) for name, key, how, source in _lines(said, nginx)]
    memory = _memory(nginx)
    return [(name, value) for name, value in [*found, ("Memory for entries", memory)] if value]


def _lines(
    said: dict[str, Any], nginx: dict[str, Any]
) -> list[tuple[str, str, Callable[[float], str], dict[str, Any]]]:
    return [
        ("nginx runs since", "started", _since, nginx),
        ("Agent runs since", "agent_started", _since, said),
        ("Workers of nginx", "workers", _whole, nginx),
        ("Connections of nginx", "connections", _whole, nginx),
        ("Calls a second", "calls_per_second", lambda value: f"{value:,.1f}", said),
        ("Entries in nginx", "entries", _whole, nginx),
        ("Entries on its disk", "stored_entries", _whole, said),
        ("Calls read from the usage log", "usage_lines", _whole, said),
        ("Oldest count not delivered", "usage_lag_seconds", lambda value: f"{value:.1f} s old", said),
        ("Batches waiting", "spool_batches", _whole, said),
        ("Batches refused by the control plane", "rejected_batches", _whole, said),
        ("Unreadable usage lines", "garbage_lines", _whole, said),
        ("Free disk", "disk_free_bytes", filesizeformat, said),
        (
            "Its clock",
            "clock",
            lambda value: f"{datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M:%S} UTC",
            said,
        ),
    ]


def _shown(value: Any, how: Callable[[float], str]) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    try:
        return how(value)
    except (ValueError, OverflowError, OSError):
        return ""


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _since(value: float) -> str:
    moment = datetime.fromtimestamp(value, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC ({timesince(moment)})"


def _memory(nginx: dict[str, Any]) -> str:
    free, capacity = nginx.get("free_bytes"), nginx.get("capacity_bytes")
    if not isinstance(free, int | float) or not isinstance(capacity, int | float) or not capacity:
        return ""
    return f"{filesizeformat(capacity - free)} of {filesizeformat(capacity)} in use"
