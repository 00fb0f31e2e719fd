"""APIs and their versions: made, imported, re-imported, deprecated, retired."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from apis.addresses import set_execute_api_endpoint
from apis.models import Api, ApiVersion, Backend, BasePathMapping, Operation, VersionState, Visibility
from apis.names import REGION, check_version_name, clean_tags, new_slug
from apis.openapi import Document, DocumentError, parse
from apis.openapi.endpoint import disables_execute_api
from apis.openapi.keys import with_key_required
from apis.openapi.parse import from_data
from apis.projection import Report, project, read
from apis.signals import region_changing, stages_changed

Source = Document | dict[str, Any] | str | bytes
API_FIELDS = ("name", "summary", "description", "visibility", "category", "tags", "region")


@transaction.atomic
def create_api(
    *,
    organization: Organization,
    name: str,
    slug: str = "",
    summary: str = "",
    description: str = "",
    visibility: str = Visibility.PUBLIC,
    category: str = "",
    tags: Collection[str] = (),
    region: str = "",
    actor: User | None,
) -> Api:
    """Make a product; an empty slug is made from the name. Refused: fields name, slug, visibility,
    category, tags, region."""
    api = Api(
        organization=organization,
        name=name.strip(),
        summary=summary.strip(),
        description=description,
        visibility=visibility,
        category=category.strip(),
        tags=list(tags),
        region=region.strip(),
    )
    _check_api(api)
    api.slug = new_slug(api.name, slug.strip())
    if _squatted(api):
        message = f"The address /{api.slug} is used by somebody else; choose another slug."
        raise Refused(message, field="slug", code="taken")
    api.save(force_insert=True)
    _audit(api, actor, "api.created", f"Created the API {api.name}")
    return api


@transaction.atomic
def change_api(*, api: Api, actor: User | None, **fields: Any) -> Api:
    """Change name, summary, description, visibility, category, tags or region (that only until its use is priced)."""
    unknown = fields.keys() - set(API_FIELDS)
    if unknown:
        raise TypeError(f"an API's {', '.join(sorted(unknown))} cannot be changed")
    before = Api.objects.select_for_update().get(pk=api.pk)
    for field, value in fields.items():
        setattr(api, field, value)
    _check_api(api)
    changes = {
        field: [getattr(before, field), getattr(api, field)]
        for field in API_FIELDS
        if getattr(before, field) != getattr(api, field)
    }
    if "region" in changes:
        region_changing.send(sender=Api, api=api)
    if changes:
        api.save(update_fields=list(changes))
        _audit(api, actor, "api.changed", f"Changed the API {api.name}", changes)
    return api


@transaction.atomic
def create_version(
    *,
    api: Api,
    name: str,
    document: Source,
    backend: Backend | None = None,
    key_required: bool = True,
    actor: User | None,
) -> ApiVersion:
    """Import a document as a new version (draft). Its findings are on `version.findings`.

    `key_required` is the default for operations of which the document does not say. Refused: field `document`
    for what is no OpenAPI document, `name` for a name that is taken or cannot be part of an address.
    """
    check_version_name(name)
    _check_backend(api, backend)
    read_document = _document(document)
    Api.objects.select_for_update().get(pk=api.pk)
    if ApiVersion.objects.filter(api=api, name=name).exists():
        message = f"{api.name} has a version {name!r} already; choose another name, or re-import that one."
        raise Refused(message, field="name", code="taken")
    operations, findings = read(read_document)
    version = ApiVersion(
        organization_id=api.organization_id,
        api=api,
        name=name,
        document=read_document.data,
        findings=findings,
        backend=backend,
        key_required=key_required,
        disable_execute_api_endpoint=disables_execute_api(read_document) is True,
    )
    version.save(force_insert=True)
    report = project(version, operations)
    summary = f"Imported {version}: {len(operations)} operations"
    _audit(version, actor, "version.created", summary, report.as_changes())
    return version


@transaction.atomic
def replace_document(*, version: ApiVersion, document: Source, actor: User | None) -> ApiVersion:
    """Import a newer document; operations keep their ids by method + path. A deploy makes it live."""
    read_document = _document(document)
    lock(version)
    report = _replace(version, read_document)
    disabled = disables_execute_api(read_document)
    if disabled is not None:
        set_execute_api_endpoint(version=version, disabled=disabled, actor=actor)
        version.disable_execute_api_endpoint = disabled
    counts = f"{len(report.added)} new, {len(report.changed)} changed, {len(report.removed)} removed"
    _audit(version, actor, "version.reimported", f"Re-imported {version}: {counts}", report.as_changes())
    return version


def set_key_required(*, operation: Operation, required: bool, actor: User | None) -> Operation:
    """Write into the document whether the operation needs an API key. Holds from the next deploy."""
    set_keys_required(version=operation.version, operations=[operation], required=required, actor=actor)
    operation.refresh_from_db()
    return operation


@transaction.atomic
def set_keys_required(
    *, version: ApiVersion, operations: Collection[Operation], required: bool, actor: User | None
) -> ApiVersion:
    """Like set_key_required, for several operations of one version in one edit of its document."""
    lock(version)
    if any(each.version_id != version.pk for each in operations):
        raise Refused("These operations do not belong to this version.", field="operation")
    wanted = {(each.method, each.path) for each in operations}
    try:
        edited = with_key_required(from_data(version.document), wanted, required=required)
    except KeyError as error:
        method, path = error.args[0]
        message = f"{method} {path} is not in the version's document any more."
        raise Refused(message, field="operation", code="removed") from error
    report = _replace(version, edited)
    what = "need an API key" if required else "are open without a key"
    summary = f"{len(wanted)} operations of {version} {what}" if len(wanted) != 1 else _one(wanted, required)
    _audit(version, actor, "version.key_required_set", summary, report.as_changes())
    return version


@transaction.atomic
def edit_document(
    *,
    version: ApiVersion,
    edit: Callable[[Document], Document],
    action: str,
    summary: str,
    actor: User | None,
) -> ApiVersion:
    """Replace the version's document by what `edit` makes of it. Holds from the next deploy."""
    lock(version)
    report = _replace(version, edit(from_data(version.document)))
    _audit(version, actor, action, summary, report.as_changes())
    return version


@transaction.atomic
def set_backend(*, version: ApiVersion, backend: Backend | None, actor: User | None) -> ApiVersion:
    """Say where operations without an integration of their own go. Holds from the next deploy."""
    _check_backend(version.api, backend)
    lock(version)
    before = version.backend
    if before == backend:
        return version
    version.backend = backend
    version.save(update_fields=["backend", "updated_at"])
    project(version, read(from_data(version.document))[0])
    changes = {"backend": [before and before.name, backend and backend.name]}
    _audit(version, actor, "version.backend_set", f"Changed the backend of {version}", changes)
    return version


@transaction.atomic
def set_key_default(*, version: ApiVersion, required: bool, actor: User | None) -> ApiVersion:
    """Say whether operations need a key where the document does not say. Holds from the next deploy."""
    lock(version)
    if version.key_required == required:
        return version
    version.key_required = required
    version.save(update_fields=["key_required", "updated_at"])
    project(version, read(from_data(version.document))[0])
    changes = {"key_required": [not required, required]}
    _audit(version, actor, "version.key_default_set", f"Changed the key default of {version}", changes)
    return version


def deprecate(*, version: ApiVersion, sunset_at: datetime | None = None, actor: User | None) -> ApiVersion:
    """Mark a published version as deprecated; it goes on answering. `sunset_at` is when it may end."""
    if sunset_at is not None and sunset_at <= now():
        raise Refused("The end must lie in the future.", field="sunset_at")
    return _set_state(version, VersionState.DEPRECATED, sunset_at, actor)


def retire(*, version: ApiVersion, actor: User | None) -> ApiVersion:
    """Stop serving a version; stages and deployments stay."""
    return _set_state(version, VersionState.RETIRED, None, actor)


def reinstate(*, version: ApiVersion, actor: User | None) -> ApiVersion:
    """Take back a deprecation or retirement."""
    return _set_state(version, VersionState.PUBLISHED, None, actor)


def lock(version: ApiVersion) -> None:
    """Make others wait until this transaction ends, and read the row anew."""
    ApiVersion.objects.select_for_update().filter(pk=version.pk).values_list("pk").get()
    version.__dict__.pop("document", None)
    version.refresh_from_db()


@transaction.atomic
def _set_state(
    version: ApiVersion, state: VersionState, sunset_at: datetime | None, actor: User | None
) -> ApiVersion:
    lock(version)
    before = VersionState(version.state)
    if before == VersionState.DRAFT:
        raise Refused(f"{version} is a draft: deploy it first.", field="state", code="draft")
    if before == VersionState.RETIRED and state == VersionState.DEPRECATED:
        raise Refused(f"{version} is retired: reinstate it first.", field="state", code="retired")
    version.state = state
    if state == VersionState.PUBLISHED:
        version.deprecated_at = None
        version.sunset_at = None
    elif state == VersionState.DEPRECATED:
        version.deprecated_at = version.deprecated_at or now()
        version.sunset_at = sunset_at
    version.save(update_fields=["state", "deprecated_at", "sunset_at", "updated_at"])
    _audit(
        version, actor, f"version.{state}", f"{version} is {state.label.lower()}", {"state": [before, state]}
    )
    stage_ids = list(version.stages.values_list("pk", flat=True))
    if stage_ids:
        stages_changed.send(sender=ApiVersion, stage_ids=stage_ids)
    return version


def _document(source: Source) -> Document:
    try:
        if isinstance(source, Document):
            return source
        if isinstance(source, dict):
            return from_data(source)
        return parse(source, max_bytes=settings.DOCUMENT_MAX_BYTES)
    except DocumentError as error:
        raise Refused(str(error), field="document", code="document_unusable") from error


def _replace(version: ApiVersion, document: Document) -> Report:
    operations, findings = read(document)
    version.document = document.data
    version.findings = findings
    version.save(update_fields=["document", "findings", "updated_at"])
    return project(version, operations)


def _check_api(api: Api) -> None:
    if not api.name or len(api.name) > 120:
        raise Refused("An API needs a name of at most 120 characters.", field="name")
    if len(api.summary) > 200:
        raise Refused("The summary has at most 200 characters.", field="summary")
    if api.visibility not in Visibility.values:
        raise Refused(f"Use one of {', '.join(Visibility.values)}.", field="visibility")
    if len(api.category) > 60:
        raise Refused("A category has at most 60 characters.", field="category")
    api.tags = clean_tags(api.tags)
    if api.region and not REGION.fullmatch(api.region):
        raise Refused(
            "A region is written in small letters, digits and single hyphens, such as eu-west-1.",
            field="region",
        )


def _check_backend(api: Api, backend: Backend | None) -> None:
    if backend is not None and backend.organization_id != api.organization_id:
        raise Refused("This backend belongs to another organization.", field="backend")


def _squatted(api: Api) -> bool:
    shared = BasePathMapping.objects.filter(host="").exclude(organization=api.organization_id)
    return shared.filter(base_path__regex=f"^{api.slug}(/|$)").exists()


def _one(wanted: set[tuple[str, str]], required: bool) -> str:
    (method, path) = next(iter(wanted))
    return f"{method} {path} {'needs an API key' if required else 'is open without a key'}"


def _audit(
    target: Api | ApiVersion,
    actor: User | None,
    action: str,
    summary: str,
    changes: dict[str, Any] | None = None,
) -> None:
    record(
        organization=target.organization,
        actor=actor,
        action=action,
        target=target,
        summary=summary,
        changes=changes,
    )
