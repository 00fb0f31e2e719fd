"""Document -> rows of `Operation`. The document is the truth; the rows keep the ids that usage names."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.timezone import now

from apis.limits import limits
from apis.models import ApiVersion, Operation
from apis.openapi import Document
from apis.openapi.findings import as_rows
from apis.openapi.operations import ParsedOperation, read_operations
from apis.openapi.validation import remarks

FIELDS = (
    "operation_id",
    "summary",
    "tag",
    "key_required",
    "integration_type",
    "unserved_reason",
    "position",
    "removed_at",
)
NO_BACKEND = "It has no integration of its own, and no backend is named for this version."
NAMED_AT_MOST = 20


@dataclass(slots=True)
class Report:
    """What an import changed: "GET /path" of operations."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def as_changes(self) -> dict[str, Any]:
        """Return it for the audit trail: how many, and the first of each."""
        return {
            name: {"count": len(found), "first": found[:NAMED_AT_MOST]}
            for name, found in (("added", self.added), ("changed", self.changed), ("removed", self.removed))
            if found
        }


def read(document: Document) -> tuple[list[ParsedOperation], list[dict[str, Any]]]:
    """Return the document's operations and its findings as rows."""
    operations, findings = read_operations(document, limits())
    return operations, as_rows([*remarks(document, operations), *findings])


def project(version: ApiVersion, operations: list[ParsedOperation]) -> Report:
    """Make the version's rows follow `operations`, matched by method and path.

    A row that is gone from the document gets `removed_at`; when it comes back it has its id again.
    """
    known = {(row.method, row.path): row for row in version.operations.all()}
    report = Report()
    write = []
    for position, operation in enumerate(operations):
        values = _values(version, operation, position)
        row = known.pop((operation.method, operation.path), None)
        if row is None or row.removed_at is not None:
            report.added.append(f"{operation.method} {operation.path}")
        elif any(getattr(row, name) != value for name, value in values.items() if name != "position"):
            report.changed.append(str(row))
        elif row.position == position:
            continue
        row = row or Operation(
            organization_id=version.organization_id,
            version=version,
            method=operation.method,
            path=operation.path,
        )
        for name, value in values.items():
            setattr(row, name, value)
        write.append(row)
    Operation.objects.bulk_create(
        write, batch_size=1_000, update_conflicts=True, unique_fields=["id"], update_fields=FIELDS
    )
    gone = [row for row in known.values() if row.removed_at is None]
    Operation.objects.filter(pk__in=[row.pk for row in gone]).update(removed_at=now())
    report.removed = [str(row) for row in gone]
    return report


def _values(version: ApiVersion, operation: ParsedOperation, position: int) -> dict[str, Any]:
    own = operation.integration.type
    said = operation.key_required
    missing = NO_BACKEND if not own and not version.backend_id else ""
    return {
        "operation_id": operation.operation_id,
        "summary": operation.summary,
        "tag": operation.tag,
        "key_required": version.key_required if said is None else said,
        "integration_type": own or "http_proxy",
        "unserved_reason": (operation.unserved_reason or missing)[:300],
        "position": position,
        "removed_at": None,
    }
