"""Drafts: kept, shown in a preview, thrown away. Publishing one is the thing's own verb, with the draft's fields."""

import copy
from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model

from accounts.audit import record
from accounts.drafts.models import Draft
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import check_fields, readable

Row = TypeVar("Row", bound=Model)
# what readers read; who sees a thing, and at which address, is no matter of a draft
TEXTS = frozenset(
    {
        "name", "title", "summary", "description", "text", "category", "tags", "position",
        "accent_light", "accent_dark", "footer_links", "in_footer",
    }
)  # fmt: skip


@transaction.atomic
def keep_draft(*, row: Model, actor: User | None, **fields: Any) -> Draft:
    """Keep texts (TEXTS) of a row as a draft, over those that were kept before. Refused: the field at fault."""
    kept = _draft(row) or Draft(organization_id=getattr(row, "organization_id", None), **_place(row))
    foreign = sorted(set(fields) - TEXTS)
    if foreign:
        message = "This cannot wait in a draft: save it by itself."
        raise Refused(message, field=foreign[0], code="not_a_text")
    kept.fields = {name: readable(value) for name, value in (kept.fields | fields).items()}
    check_fields(_with(row, kept))
    kept.created_by = actor
    kept.save()
    _audit(row, actor, "draft.kept", f"Kept a draft of {row}")
    return kept


@transaction.atomic
def drop_draft(*, row: Model, actor: User | None) -> None:
    """Throw the draft away, if there is one."""
    gone, _ = Draft.objects.filter(**_place(row)).delete()
    if gone:
        _audit(row, actor, "draft.dropped", f"Threw the draft of {row} away")


def fields_of(row: Model) -> dict[str, Any]:
    """Return what the row's draft would change; {} = there is none."""
    found = _draft(row)
    return dict(found.fields) if found else {}


def with_draft(row: Row) -> Row:
    """Return a copy of the row as its draft would have it; the row itself if there is none. One query."""
    return with_drafts([row])[0]


def with_drafts(rows: Iterable[Row]) -> list[Row]:
    """The same for rows of one kind. One query."""
    found = list(rows)
    if not found:
        return []
    kind = _place(found[0])["kind"]
    ids = [str(each.pk) for each in found]
    drafts = {each.target_id: each for each in Draft.objects.filter(kind=kind, target_id__in=ids)}
    return [_with(each, drafts[str(each.pk)]) if str(each.pk) in drafts else each for each in found]


def _with(row: Row, draft: Draft) -> Row:
    shown = copy.copy(row)
    for name, value in draft.fields.items():
        setattr(shown, name, value)
    return shown


def _draft(row: Model) -> Draft | None:
    return Draft.objects.filter(**_place(row)).first()


def _place(row: Model) -> dict[str, str]:
    return {"kind": row._meta.model_name or "", "target_id": str(row.pk)}


def _audit(row: Model, actor: User | None, action: str, summary: str) -> None:
    record(
        organization=getattr(row, "organization", None),
        actor=actor,
        action=action,
        target=row,
        summary=summary,
    )
