"""Going live: deployments, and the stages that point to them.

Addresses are in `addresses.py`, what else can be changed of a stage in `stage_settings.py`, canaries in
`canary.py`; their verbs can be had from here.
"""

from django.db import transaction
from django.db.models import Max

from accounts.errors import Refused
from accounts.models import User
from apis.addresses import map_base_path, map_default, move_base_path, unmap
from apis.canary import promote_canary, remove_canary, set_canary
from apis.compile import compile_operations, needs_backend
from apis.limits import limits
from apis.models import LIVE, ApiVersion, Deployment, Stage, VersionState
from apis.names import check_stage_name
from apis.openapi.operations import ParsedOperation, read_operations
from apis.openapi.parse import from_data
from apis.openapi.root import read_root
from apis.signals import stages_changed
from apis.stage_settings import audit, change_stage, flush_cache, set_operation_policy
from apis.versions import lock

__all__ = [
    "change_stage",
    "deploy",
    "flush_cache",
    "map_base_path",
    "move_base_path",
    "promote",
    "promote_canary",
    "remove_canary",
    "roll_back",
    "set_canary",
    "set_operation_policy",
    "unmap",
]


@transaction.atomic
def deploy(*, version: ApiVersion, stage_name: str = LIVE, note: str = "", actor: User | None) -> Deployment:
    """Freeze the version's operations and move the stage to them; makes the stage if it is missing.

    On a stage with a canary, the canary moves, as with AWS.

    A new stage `live` gets the address /{api.slug}/{version.name} on the shared host; other stages have
    their canonical address until one is mapped. A draft becomes published. Refused: `backend` when one is
    needed and none is named, `document` when nothing could be served, `stage_name`, `note`.
    """
    check_stage_name(stage_name)
    if len(note) > 200:
        raise Refused("A note has at most 200 characters.", field="note")
    lock(version)
    if version.state == VersionState.RETIRED:
        raise Refused(f"{version} is retired: reinstate it first.", field="version", code="retired")
    deployment = _freeze(version, note, actor)
    if version.state == VersionState.DRAFT:
        version.state = VersionState.PUBLISHED
        version.save(update_fields=["state", "updated_at"])
    stage, is_new = _stage(version, stage_name)
    if stage.canary_deployment_id is None:
        _point(stage, deployment, actor, "stage.deployed")
    else:
        set_canary(stage=stage, deployment=deployment, actor=actor)
    if is_new and stage.name == LIVE:
        map_default(stage=stage, actor=actor)
    return deployment


@transaction.atomic
def promote(*, stage: Stage, to: Stage | str, actor: User | None) -> Stage:
    """Point stage `to` (a stage of the same version, or its name) to `stage`'s deployment; returns it."""
    lock(stage.version)
    stage.refresh_from_db()
    name = to.name if isinstance(to, Stage) else to
    if isinstance(to, Stage) and to.version_id != stage.version_id:
        raise Refused("Both stages must belong to one version.", field="to")
    check_stage_name(name)
    if name == stage.name:
        raise Refused("Choose another stage to promote to.", field="to")
    if stage.deployment is None:
        raise Refused(f"Nothing is deployed to {stage.name} yet.", field="stage", code="nothing_deployed")
    target, is_new = _stage(stage.version, name)
    _point(target, stage.deployment, actor, "stage.promoted")
    if is_new and target.name == LIVE:
        map_default(stage=target, actor=actor)
    return target


@transaction.atomic
def roll_back(*, stage: Stage, deployment: Deployment | None = None, actor: User | None) -> Stage:
    """Point the stage to an earlier deployment of its version; without one, to that before the current."""
    lock(stage.version)
    stage.refresh_from_db()
    if deployment is None:
        current = stage.deployment.number if stage.deployment else 0
        deployment = stage.version.deployments.filter(number__lt=current).order_by("-number").first()
        if deployment is None:
            message = f"There is no deployment before the current one of {stage.name}."
            raise Refused(message, field="deployment", code="nothing_before")
    if deployment.version_id != stage.version_id:
        raise Refused("This deployment belongs to another version.", field="deployment")
    _point(stage, deployment, actor, "stage.rolled_back")
    return stage


def _freeze(version: ApiVersion, note: str, actor: User | None) -> Deployment:
    document = from_data(version.document)
    operations, _findings = read_operations(document, limits())
    _check_servable(version, operations)
    rows = version.operations.filter(removed_at=None).values_list("method", "path", "pk")
    compiled = compile_operations(
        operations,
        ids={(method, path): pk for method, path, pk in rows},
        backend=version.backend_id or "",
        key_default=version.key_required,
        root=read_root(document, limits()),
    )
    last = version.deployments.aggregate(last=Max("number"))["last"] or 0
    return Deployment.objects.create(
        organization_id=version.organization_id,
        version=version,
        number=last + 1,
        document=version.document,
        compiled=compiled,
        note=note,
        created_by=actor,
    )


def _check_servable(version: ApiVersion, operations: list[ParsedOperation]) -> None:
    homeless = [each for each in operations if needs_backend(each)]
    if homeless and version.backend_id is None:
        first = homeless[0]
        message = (
            f"{len(homeless)} operations, such as {first.method} {first.path[:80]}, have no integration of "
            "their own. Name a backend for this version, then deploy again."
        )
        raise Refused(message, field="backend", code="backend_missing")
    if any(not each.unserved_reason for each in operations):
        return
    why = f" {operations[0].unserved_reason}" if operations else " The document describes no operation."
    message = f"Nothing of this document can be served yet.{why} See the version's findings."
    raise Refused(message, field="document", code="nothing_to_serve")


def _stage(version: ApiVersion, name: str) -> tuple[Stage, bool]:
    return Stage.objects.get_or_create(
        version=version, name=name, defaults={"organization_id": version.organization_id}
    )


def _point(stage: Stage, deployment: Deployment, actor: User | None, action: str) -> None:
    before = stage.deployment.number if stage.deployment else None
    stage.deployment = deployment
    stage.save(update_fields=["deployment", "updated_at"])
    summary = f"{stage} now runs deployment #{deployment.number}"
    audit(stage, actor, action, summary, {"deployment": [before, deployment.number]})
    stages_changed.send(sender=Stage, stage_ids=[stage.pk])
