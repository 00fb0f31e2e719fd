"""Going live: deployments, and the stages that point to them. Addresses are in `addresses.py`."""

import math
import re
from typing import Any

from django.db import transaction
from django.db.models import Max

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from apis.addresses import map_base_path, map_default, move_base_path, unmap
from apis.compile import compile_operations, needs_backend
from apis.models import LIVE, ApiVersion, Deployment, Stage, VersionState
from apis.names import check_stage_name
from apis.openapi.operations import ParsedOperation, read_operations
from apis.openapi.parse import from_data
from apis.signals import stages_changed
from apis.versions import lock

__all__ = ["change_stage", "deploy", "map_base_path", "move_base_path", "promote", "roll_back", "unmap"]

# names and values of stage variables that Amazon API Gateway takes
VARIABLE_NAME = re.compile(r"[A-Za-z0-9_]{1,64}\Z")
VARIABLE_VALUE = re.compile(r"[A-Za-z0-9\-._~:/?#&=,]{0,512}\Z")
SETTINGS = ("variables", "throttle_rate", "throttle_burst")


@transaction.atomic
def deploy(*, version: ApiVersion, stage_name: str = LIVE, note: str = "", actor: User | None) -> Deployment:
    """Freeze the version's operations and move the stage to them; makes the stage if it is missing.

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
    _point(stage, deployment, actor, "stage.deployed")
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


@transaction.atomic
def change_stage(*, stage: Stage, actor: User | None, **settings: Any) -> Stage:
    """Change variables, throttle_rate, throttle_burst; holds at once, without a deployment."""
    unknown = settings.keys() - set(SETTINGS)
    if unknown:
        raise TypeError(f"a stage has no setting {', '.join(sorted(unknown))}")
    before = Stage.objects.select_for_update(of=("self",)).get(pk=stage.pk)
    stage.refresh_from_db()
    for name, value in settings.items():
        setattr(stage, name, value)
    _check_variables(stage.variables)
    _check_throttle(stage)
    changes = {
        name: [getattr(before, name), getattr(stage, name)]
        for name in SETTINGS
        if getattr(before, name) != getattr(stage, name)
    }
    if changes:
        stage.save(update_fields=[*changes, "updated_at"])
        _audit(stage, actor, "stage.changed", f"Changed the settings of {stage}", changes)
        stages_changed.send(sender=Stage, stage_ids=[stage.pk])
    return stage


def _freeze(version: ApiVersion, note: str, actor: User | None) -> Deployment:
    operations, _findings = read_operations(from_data(version.document))
    _check_servable(version, operations)
    rows = version.operations.filter(removed_at=None).values_list("method", "path", "pk")
    compiled = compile_operations(
        operations,
        ids={(method, path): pk for method, path, pk in rows},
        backend=version.backend_id or "",
        key_default=version.key_required,
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
    _audit(stage, actor, action, summary, {"deployment": [before, deployment.number]})
    stages_changed.send(sender=Stage, stage_ids=[stage.pk])


def _check_variables(variables: Any) -> None:
    if not isinstance(variables, dict):
        raise Refused("Stage variables are an object of names and texts.", field="variables")
    for name, value in variables.items():
        if not isinstance(name, str) or not VARIABLE_NAME.match(name):
            message = f"{str(name)[:40]!r} is no name: use letters, digits and underscores, at most 64."
            raise Refused(message, field="variables")
        if not isinstance(value, str) or not VARIABLE_VALUE.match(value):
            message = f"The value of {name} must be a text of letters, digits and -._~:/?#&=, only."
            raise Refused(message, field="variables")


def _check_throttle(stage: Stage) -> None:
    rate, burst = stage.throttle_rate, stage.throttle_burst
    if rate is None and burst is None:
        return
    if rate is None or burst is None:
        field = "throttle_burst" if burst is None else "throttle_rate"
        raise Refused("Give both a rate and a burst, or neither.", field=field)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not math.isfinite(rate) or rate < 0:
        raise Refused("The rate is a number of calls a second, 0 or more.", field="throttle_rate")
    if isinstance(burst, bool) or not isinstance(burst, int) or not 0 <= burst <= 2_000_000_000:
        raise Refused("The burst is a whole number of calls, 0 or more.", field="throttle_burst")


def _audit(stage: Stage, actor: User | None, action: str, summary: str, changes: dict[str, Any]) -> None:
    record(
        organization=stage.organization,
        actor=actor,
        action=action,
        target=stage,
        summary=summary,
        changes=changes,
    )
