"""Node accounts: making them, finding them by token, what they report."""

from typing import Any

from accounts.models import User
from nodes.models import Node


def create_node(*, name: str, actor: User | None) -> tuple[Node, str]:
    """Make a node; returns it with its token `ghn_…`, which is shown this once."""
    raise NotImplementedError


def renew_token(*, node: Node, actor: User | None) -> str:
    """Give the node a new token (shown this once); the old one ends now."""
    raise NotImplementedError


def enable_node(*, node: Node, actor: User | None) -> None:
    """Let a node in again."""
    raise NotImplementedError


def disable_node(*, node: Node, actor: User | None) -> None:
    """Refuse a node: it serves on from what it has, but gets nothing new and delivers nothing."""
    raise NotImplementedError


def find_node(token: str) -> Node | None:
    """Return the enabled node with this token."""
    raise NotImplementedError


def report(*, node: Node, status: dict[str, Any]) -> None:
    """Keep what a node said of itself: `{"generation", "version", "status": {…}}`."""
    raise NotImplementedError
