"""The admin console of gateway nodes and what they must know; `admin_limits` has the quotas they spend."""

import json
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.timezone import now
from unfold.decorators import display

from accounts.read_only_admin import ReadOnly
from accounts.verb_admin import VerbAdmin, person, show_once
from apis.admin.pages import table
from nodes import admin_limits, registry
from nodes.compile_tls import without_secrets
from nodes.entries import newest_generation
from nodes.facts import facts
from nodes.models import Entry, Node
from nodes.queries import SEEN_WITHIN

__all__ = ["EntryAdmin", "NodeAdmin", "admin_limits"]


@admin.register(Node)
class NodeAdmin(VerbAdmin):
    """Nodes are made here (the token is shown once), enabled and disabled; they are never edited."""

    list_display = ("name", "shown_state", "shown_generation", "version", "last_seen_at", "token_prefix")
    list_filter = ("enabled",)
    search_fields = ("name", "token_prefix")
    fields = (
        "name", "shown_state", "shown_generation", "version", "last_seen_at",
        "shown_problems", "shown_facts", "how_to_remove", "created_at",
    )  # fmt: skip
    actions = ("enable", "disable", "renew_token")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Node]:
        # asked once for the page, not once for each row
        self.newest = newest_generation()
        return super().get_queryset(request)

    # a node's page has nothing to save
    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fields if obj else ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return self.fields if obj else ()

    def create(self, request: HttpRequest, data: dict[str, Any]) -> Model:
        node, token = registry.create_node(name=data["name"], actor=person(request))
        show_once(request, f"token of node {node}", token)
        return node

    @display(description="State", label={"up": "success", "down": "danger", "disabled": "warning"})
    def shown_state(self, node: Node) -> str:
        if not node.enabled:
            return "disabled"
        return "up" if node.last_seen_at and node.last_seen_at >= now() - SEEN_WITHIN else "down"

    @display(description="Generation")
    def shown_generation(self, node: Node) -> str:
        newest = newest_generation() if not hasattr(self, "newest") else self.newest
        if node.generation >= newest:
            return f"{node.generation} (newest)"
        seen = timesince(node.last_seen_at) if node.last_seen_at else "never seen"
        return f"{node.generation} of {newest}, {newest - node.generation} behind (last seen: {seen})"

    @display(description="Problems")
    def shown_problems(self, node: Node) -> SafeString:
        problems = node.status.get("problems")
        rows = [
            (each.get("name", ""), each.get("text", ""))
            for each in (problems if isinstance(problems, list) else [])
            if isinstance(each, dict)
        ]
        return table(("What", "Why"), rows, "none")

    @display(description="What it says of itself")
    def shown_facts(self, node: Node) -> SafeString:
        return table(("What", "Value"), facts(node), "nothing yet: it was never seen")

    @display(description="Drain and remove")
    def how_to_remove(self, _node: Node) -> str:
        return (
            "Take it out of your load balancer, wait until its calls are done, stop its agent, then its nginx. "
            "Disable it here when its spool is empty. docs/operations.md tells each step."
        )

    @admin.action(description="Enable")
    def enable(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        actor = person(request)
        self.each(request, queryset, lambda node: registry.enable_node(node=node, actor=actor), "Enabled")

    @admin.action(description="Disable")
    def disable(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        actor = person(request)
        self.each(request, queryset, lambda node: registry.disable_node(node=node, actor=actor), "Disabled")

    @admin.action(description="Renew token (the old one ends now)")
    def renew_token(self, request: HttpRequest, queryset: QuerySet[Node]) -> None:
        for node in queryset:
            token = registry.renew_token(node=node, actor=person(request))
            show_once(request, f"token of node {node}", token)


@admin.register(Entry)
class EntryAdmin(ReadOnly):
    list_display = ("kind", "key", "generation", "organization", "problem", "written_at")
    list_filter = ("kind",)
    list_select_related = ("organization",)
    search_fields = ("key", "problem")
    ordering = ("-generation",)
    fields = ("kind", "key", "organization", "generation", "problem", "written_at", "shown_data")
    readonly_fields = ("written_at", "shown_data")

    @display(description="Data")
    def shown_data(self, entry: Entry) -> str:
        return json.dumps(without_secrets(entry.data), indent=2)
