"""Node accounts: making them, finding them by token, what they report."""

from typing import Any

from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from accounts.secret_text import hash_of, is_well_formed, new_secret, prefix_of
from nodes.models import Node

TOKEN_HEAD = "ghn"  # noqa: S105 -- how every node token begins


@transaction.atomic
def create_node(*, name: str, actor: User | None) -> tuple[Node, str]:
    """Make a node; returns it with its token `ghn_…`, which is shown this once."""
    name = name.strip()
    if not name:
        raise Refused("Give the node a name, such as gateway-1.", field="name")
    if Node.objects.filter(name=name).exists():
        raise Refused(f"There is a node named {name} already; choose another name.", field="name")
    token = new_secret(TOKEN_HEAD)
    node = Node.objects.create(name=name, token_prefix=prefix_of(token), token_hash=hash_of(token))
    _record(node, actor, "node.created", f"Made node {name}")
    return node, token


@transaction.atomic
def renew_token(*, node: Node, actor: User | None) -> str:
    """Give the node a new token (shown this once); the old one ends now."""
    token = new_secret(TOKEN_HEAD)
    node.token_prefix, node.token_hash = prefix_of(token), hash_of(token)
    node.save(update_fields=["token_prefix", "token_hash"])
    _record(node, actor, "node.token_renewed", f"Renewed the token of node {node}")
    return token


def enable_node(*, node: Node, actor: User | None) -> None:
    """Let a node in again."""
    _set_enabled(node, actor, enabled=True, action="node.enabled", summary=f"Enabled node {node}")


def disable_node(*, node: Node, actor: User | None) -> None:
    """Refuse a node: it serves on from what it has, but gets nothing new and delivers nothing."""
    _set_enabled(node, actor, enabled=False, action="node.disabled", summary=f"Disabled node {node}")


@transaction.atomic
def _set_enabled(node: Node, actor: User | None, *, enabled: bool, action: str, summary: str) -> None:
    node.enabled = enabled
    node.save(update_fields=["enabled"])
    _record(node, actor, action, summary)


def _record(node: Node, actor: User | None, action: str, summary: str) -> None:
    record(organization=None, actor=actor, action=action, target=node, summary=summary)


def find_node(token: str) -> Node | None:
    """Return the enabled node with this token.

    The look-up is by hash, so how long it takes says nothing about the token.
    """
    if not is_well_formed(token, TOKEN_HEAD):
        return None
    return Node.objects.filter(token_hash=hash_of(token), enabled=True).first()


def report(*, node: Node, status: dict[str, Any]) -> None:
    """Keep what a node said of itself: `{"generation", "version", "status": {…}}`, checked by the view."""
    Node.objects.filter(pk=node.pk).update(
        generation=status["generation"],
        version=status["version"][:40],
        status=status["status"],
        last_seen_at=now(),
    )
