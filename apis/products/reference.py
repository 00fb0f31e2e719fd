"""A product's reference: its operations in their sections, described; and documents of just those."""

from dataclasses import dataclass, field
from typing import Any

from apis.models import ApiVersion, Deployment, Operation, Product, ProductOperation
from apis.openapi.describe import Described, describe
from apis.openapi.excerpt import excerpt
from apis.openapi.operations import ANY
from apis.openapi.readers import ANY_EXPANDS_TO
from apis.products.queries import live_operations
from apis.queries import live_stage, stage_address, version_document_for_readers


@dataclass(frozen=True, slots=True)
class Shown:
    """An operation of the reference. ANY is described by the first method that stands for it."""

    row: ProductOperation
    address: str
    needs_key: bool
    key_source: dict[str, str] | None
    described: Described

    @property
    def operation(self) -> Operation:
        return self.row.operation


@dataclass(slots=True)
class Section:
    """A heading, and the operations below it."""

    title: str
    operations: list[Any] = field(default_factory=list)


def sections_of(rows: list[Any]) -> list[Section]:
    """Group rows (with `row.section` and `row.operation`) by heading; a heading stands where it is first named."""
    found: dict[str, Section] = {}
    for each in rows:
        row = each if isinstance(each, ProductOperation) else each.row
        title = row.section or row.operation.tag or "Operations"
        found.setdefault(title, Section(title)).operations.append(each)
    return list(found.values())


def reference(product: Product) -> list[Section]:
    """Return what the reference page shows. Documents are read whole, one query for all."""
    rows = live_operations(product)
    documents = _documents(rows)
    shown = [_shown(each, documents[each.operation.version_id]) for each in rows]
    return sections_of([each for each in shown if each is not None])


def product_document(product: Product, version: ApiVersion) -> dict[str, Any] | None:
    """Return the OpenAPI document of a version with the product's operations alone; None = it shows none."""
    rows = [each for each in live_operations(product) if each.operation.version_id == version.pk]
    if not rows:
        return None
    data = _documents(rows)[version.pk]
    loaded = rows[0].operation.version
    wanted = {
        (method, each.operation.path): sections_of([each])[0].title
        for each in rows
        for method in _methods(each.operation, loaded)
    }
    found = excerpt(data, wanted)
    for (method, path), section in wanted.items():
        operation = found["paths"].get(path, {}).get(method.lower())
        if isinstance(operation, dict):
            operation["tags"] = [section]
    # its own description tells of all that the API does
    found["info"] = {"title": product.title, "version": loaded.name, "description": product.summary}
    return found


def _shown(row: ProductOperation, data: dict[str, Any]) -> Shown | None:
    version = row.operation.version
    stage = live_stage(version)
    methods = _methods(row.operation, version)
    described = describe(data, methods[0], row.operation.path) if methods else None
    if stage is None or stage.deployment is None or described is None:
        return None
    compiled = _compiled(row.operation, version)
    return Shown(
        row=row,
        address=stage_address(stage),
        needs_key=bool(compiled and compiled["key_required"]),
        key_source=stage.deployment.compiled.get("key_source"),
        described=described,
    )


def _documents(rows: list[ProductOperation]) -> dict[str, dict[str, Any]]:
    """Documents for readers by version; sets each live stage's deployment, so that nothing is looked up twice."""
    versions = {each.operation.version_id: each.operation.version for each in rows}
    stages = {pk: stage for pk, version in versions.items() if (stage := live_stage(version))}
    wanted = [each.deployment_id for each in stages.values()]
    deployments = Deployment.objects.filter(pk__in=wanted).defer(None).in_bulk()
    for each in stages.values():
        each.deployment = deployments[each.deployment_id]
    # two operations of a version have it twice; the reference reads it off either
    for row in rows:
        row.operation.version = versions[row.operation.version_id]
    return {pk: version_document_for_readers(versions[pk]) for pk in stages}


def _methods(operation: Operation, version: ApiVersion) -> list[str]:
    """The methods that the document for readers has for an operation: ANY stands as those that are not named."""
    if operation.method != ANY:
        return [operation.method]
    named = {each["method"] for each in _operations(version) if each["path"] == operation.path}
    return [each.upper() for each in ANY_EXPANDS_TO if each.upper() not in named]


def _compiled(operation: Operation, version: ApiVersion) -> dict[str, Any] | None:
    mine = (operation.method, operation.path)
    return next((each for each in _operations(version) if (each["method"], each["path"]) == mine), None)


def _operations(version: ApiVersion) -> list[dict[str, Any]]:
    stage = live_stage(version)
    assert stage is not None
    assert stage.deployment is not None
    found: list[dict[str, Any]] = stage.deployment.compiled["operations"]
    return found
