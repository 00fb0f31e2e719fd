"""Healing drift: what nodes must know, made anew from all models."""

from django.db import transaction

from nodes.change import Change
from nodes.compile import everything
from nodes.entries import lock, write_many
from nodes.models import Entry


@transaction.atomic
def rebuild() -> int:
    """Compare all models with the entries and write what differs; returns how many did."""
    lock()
    changes = {change.name: change for change in everything()}
    living = Entry.objects.filter(data__isnull=False).values_list("kind", "key", "organization_id")
    for kind, key, organization_id in living.iterator():
        changes.setdefault((kind, key), Change(kind, key, organization_id, None))
    return write_many(changes=changes.values())
