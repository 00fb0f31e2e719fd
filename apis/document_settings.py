"""Policies that are part of a version's document: they go live with the next deploy."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from accounts.errors import Refused
from accounts.models import User
from apis.limits import limits
from apis.models import ApiVersion, Operation
from apis.openapi.edits import with_operation_policy, with_settings
from apis.openapi.operations import operation_objects
from apis.openapi.parse import from_data
from apis.openapi.root import POLICY, Root, read_own_policy, read_root
from apis.policy import read_compress_from, read_key_source, read_policy, read_responses
from apis.refusals import policies_are_refused
from apis.versions import edit_document


def document_settings(version: ApiVersion) -> Root:
    """Return what the version's document says for all of its operations."""
    return read_root(from_data(version.document), limits())


def change_document_settings(*, version: ApiVersion, actor: User | None, **settings: Any) -> ApiVersion:
    """Write policy, key_source, responses or compress_from into the document; holds from the next deploy.

    `policy` is for all operations that say nothing else (see `apis.policy.read_policy`), `key_source` {place,
    name}, `responses` {type: {status, headers, templates}}, `compress_from` bytes; None or {} takes one out.
    Refused: the field, with its path.
    """
    unknown = settings.keys() - READERS.keys()
    if unknown:
        raise TypeError(f"a document has no setting {', '.join(sorted(unknown))}")
    with policies_are_refused():
        read = {name: READERS[name](value) for name, value in settings.items()}
    names = ", ".join(sorted(read))
    return edit_document(
        version=version,
        edit=lambda document: with_settings(document, read),
        action="version.settings_changed",
        summary=f"Changed {names} of {version}",
        actor=actor,
    )


def document_policy(operation: Operation) -> dict[str, Any]:
    """Return the policy that the document gives an operation; {} for none, and for one that cannot be read."""
    found = operation_objects(from_data(operation.version.document)).get((operation.method, operation.path))
    return read_own_policy((found or {}).get(POLICY), [], limits=limits())[0]


@transaction.atomic
def set_document_policy(
    *, operation: Operation, policy: dict[str, Any] | None, actor: User | None
) -> Operation:
    """Write an operation's own policy into the document, or take it out; holds from the next deploy."""
    with policies_are_refused():
        read = read_policy(policy or {}, "policy", limits())
    try:
        edit_document(
            version=operation.version,
            edit=lambda document: with_operation_policy(document, (operation.method, operation.path), read),
            action="version.settings_changed",
            summary=f"Changed the policy of {operation} in {operation.version}",
            actor=actor,
        )
    except KeyError as error:
        message = f"{operation} is not in the version's document any more."
        raise Refused(message, field="operation", code="removed") from error
    operation.refresh_from_db()
    return operation


READERS: dict[str, Callable[[Any], Any]] = {
    "policy": lambda value: read_policy(value or {}, "policy", limits()),
    "key_source": lambda value: read_key_source(value, "key_source") if value else None,
    "responses": lambda value: read_responses(value or {}, "responses"),
    "compress_from": lambda value: read_compress_from(value, "compress_from"),
}
