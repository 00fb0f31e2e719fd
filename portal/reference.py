"""A version's document, read once for many readers: what is deployed to its live stage never changes."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from apis.models import ApiVersion, Deployment, Stage
from apis.openapi.upgrade import upgraded
from apis.queries import deployment_document_for_readers, live_stage, stage_address
from apis.reference import Line, Operation, listing, read_operation
from apis.reference.listing import groups

# documents can be megabytes; more are read anew
KEPT_DOCUMENTS = 8


@dataclass(frozen=True)
class Reference:
    """A document for readers. `document` is as its author wrote it (Swagger 2.0 too), `data` is OpenAPI 3.x.

    Shared by requests: treat both as read-only. `key_source` is where the gateway looks for keys.
    """

    address: str
    document: dict[str, Any]
    data: dict[str, Any]
    key_source: dict[str, str] | None
    lines: list[Line] = field(default_factory=list)

    def operation(self, slug: str) -> tuple[Line, Operation] | None:
        """Return the operation with this address; None = there is none."""
        line = next((each for each in self.lines if each.slug == slug), None)
        if line is None:
            return None
        return line, read_operation(self.data, line.method, line.path, self.key_source)

    def groups(self, text: str = "") -> list[tuple[str, str, list[Line]]]:
        """Return (tag, its description, its operations); with `text`, those that have all its words."""
        words = text.lower().split()
        found = [line for line in self.lines if all(word in _searched(line) for word in words)]
        return groups(found, self.data)


def reference_of(version: ApiVersion) -> tuple[Stage, Reference] | None:
    """Return the version's live stage and its reference; None = nothing is deployed."""
    stage = live_stage(version)
    if stage is None or stage.deployment_id is None:
        return None
    return stage, deployed_reference(stage.deployment_id, stage_address(stage))


@lru_cache(maxsize=KEPT_DOCUMENTS)
def deployed_reference(deployment_id: str, address: str) -> Reference:
    """Return the reference of a deployment for callers at `address`."""
    deployment = Deployment.objects.get(pk=deployment_id)
    document = deployment_document_for_readers(deployment, address)
    data = upgraded(document)
    return Reference(address, document, data, deployment.compiled.get("key_source"), listing(data))


def _searched(line: Line) -> str:
    return f"{line.method} {line.path} {line.summary} {line.operation_id} {line.tag}".lower()
