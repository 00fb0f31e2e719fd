"""Which operations a product shows, in which order, under which headings."""

from collections.abc import Collection, Mapping, Sequence

from django.db import transaction
from django.db.models import Max

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import check_fields, locked
from apis.models import ApiVersion, Operation, Product, ProductOperation

MOST_OPERATIONS = 200


@transaction.atomic
def choose_operations(
    *, product: Product, version: ApiVersion, operations: Collection[str], actor: User | None
) -> Product:
    """Let the product show these operations (ids) of a version, and no others of it; new ones come last.

    Operations of other versions stay. Refused: field `operations`, also for operations of another provider.
    """
    product = locked(product)
    wanted = set(operations)
    if version.organization_id != product.organization_id:
        raise Refused("A product shows operations of its own organization's APIs only.", field="version")
    found = list(version.operations.filter(pk__in=wanted, removed_at=None))
    if len(found) < len(wanted):
        raise Refused(f"{version} has no such operation any more.", field="operations", code="not_found")
    mine = product.chosen.filter(operation__version=version)
    gone, _ = mine.exclude(operation__in=wanted).delete()
    kept = set(mine.values_list("operation_id", flat=True))
    new = [each for each in found if each.pk not in kept]
    _add(product, new)
    if gone or new:
        _touch(product, actor, f"Chose operations of {version} for {product}: {len(new)} more, {gone} fewer")
    return product


@transaction.atomic
def arrange_operations(
    *, product: Product, order: Sequence[str], sections: Mapping[str, str], actor: User | None
) -> Product:
    """Put the chosen operations (ids of operations) in this order; `sections` are new headings by id.

    What `order` does not name keeps its order behind the rest. Refused: fields `order`, `section`.
    """
    product = locked(product)
    chosen = {each.operation_id: each for each in product.chosen.order_by("position")}
    unknown = [pk for pk in [*order, *sections] if pk not in chosen]
    if unknown:
        raise Refused(f"The product does not show an operation {unknown[0][:20]}.", field="order")
    ordered = [*dict.fromkeys(order), *(pk for pk in chosen if pk not in set(order))]
    changed = []
    for position, pk in enumerate(ordered):
        row = chosen[pk]
        section = " ".join(sections.get(pk, row.section).split())
        if (row.position, row.section) != (position, section):
            row.position, row.section = position, section
            check_fields(row)
            changed.append(row)
    if changed:
        ProductOperation.objects.bulk_update(changed, ["position", "section"])
        _touch(product, actor, f"Arranged the operations of {product}")
    return product


def moved(order: Sequence[str], pk: str, step: int) -> list[str]:
    """The order with one of its ids a place up (-1) or down (1); at the ends nothing moves. Pure."""
    found = list(order)
    if pk in found:
        at = found.index(pk)
        to = min(max(at + step, 0), len(found) - 1)
        found.insert(to, found.pop(at))
    return found


def _add(product: Product, operations: Sequence[Operation]) -> None:
    if product.chosen.count() + len(operations) > MOST_OPERATIONS:
        raise Refused(f"A product shows {MOST_OPERATIONS} operations at most.", field="operations")
    last = product.chosen.aggregate(last=Max("position"))["last"]
    first = 0 if last is None else last + 1
    ProductOperation.objects.bulk_create(
        ProductOperation(
            organization_id=product.organization_id, product=product, operation=each, position=first + number
        )
        for number, each in enumerate(operations)
    )


def _touch(product: Product, actor: User | None, summary: str) -> None:
    product.save(update_fields=["updated_at"])
    record(
        organization=product.organization,
        actor=actor,
        action="product.arranged",
        target=product,
        summary=summary,
    )
