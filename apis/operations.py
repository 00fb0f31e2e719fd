"""Operations of a version's document: added, renamed, taken out. All of it holds from the next deploy."""

from collections.abc import Callable

from accounts.errors import Refused
from accounts.models import User
from apis.models import ApiVersion, Operation
from apis.openapi.document import Document
from apis.openapi.operation_edits import CannotBe, with_operation, with_summary, without_operation
from apis.versions import edit_document


def add_operation(
    *, version: ApiVersion, method: str, path: str, summary: str = "", actor: User | None
) -> Operation:
    """Write one more operation into the document; one that was there before has its old id. Refused: method, path."""
    method, path = method.strip().upper(), path.strip()

    def edit(document: Document) -> Document:
        try:
            return with_operation(document, method, path, summary.strip())
        except CannotBe as error:
            raise Refused(str(error), field=error.field) from error

    said = f"Added {method} {path[:120]} to {version}"
    edit_document(version=version, edit=edit, action="version.operation_added", summary=said, actor=actor)
    return version.operations.get(method=method, path=path)


def remove_operation(*, operation: Operation, actor: User | None) -> None:
    """Take an operation out of the document. Its id is kept, since usage names it."""
    _edit(
        operation,
        lambda document: without_operation(document, operation.method, operation.path),
        "version.operation_removed",
        f"Took {operation} out of {operation.version}",
        actor,
    )


def set_summary(*, operation: Operation, summary: str, actor: User | None) -> Operation:
    """Write an operation's summary into the document; '' takes it out. Refused: summary."""
    summary = " ".join(summary.split())
    if len(summary) > 300:
        raise Refused("A summary has at most 300 characters.", field="summary")
    if summary != operation.summary:
        _edit(
            operation,
            lambda document: with_summary(document, operation.method, operation.path, summary),
            "version.operation_changed",
            f"Changed the summary of {operation} in {operation.version}",
            actor,
        )
        operation.refresh_from_db()
    return operation


def _edit(
    operation: Operation,
    edit: Callable[[Document], Document],
    action: str,
    summary: str,
    actor: User | None,
) -> None:
    try:
        edit_document(version=operation.version, edit=edit, action=action, summary=summary, actor=actor)
    except KeyError as error:
        message = f"{operation} is not in the version's document any more."
        raise Refused(message, field="operation", code="removed") from error
