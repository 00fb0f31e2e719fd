"""The canary of a stage: another deployment that gets part of its calls (AWS's canary release)."""

import math
from typing import Any

from accounts.errors import Refused
from accounts.models import User
from apis.models import Deployment, Stage
from apis.stage_settings import change, check_variables

NO_CANARY = "There is no canary on this stage; set one first."


def set_canary(
    *,
    stage: Stage,
    deployment: Deployment | None = None,
    percent: float | None = None,
    variables: dict[str, str] | None = None,
    use_cache: bool | None = None,
    actor: User | None,
) -> Stage:
    """Start a canary, or change the one that is there; what is None stays as it is.

    A new one starts with the stage's own deployment, 0 percent, no variables, without the cache. `percent` 0
    to 100 of the calls, drawn for each call. Until it is removed, a plain deploy to the stage goes to it.
    """
    if deployment is not None and deployment.version_id != stage.version_id:
        raise Refused("This deployment belongs to another version.", field="deployment")

    def edit(row: Stage) -> None:
        if row.deployment_id is None:
            message = f"Nothing is deployed to {row.name} yet; deploy first."
            raise Refused(message, field="stage", code="nothing_deployed")
        row.canary_deployment_id = (
            deployment.pk if deployment else row.canary_deployment_id or row.deployment_id
        )
        if percent is not None:
            row.canary_percent = _percent(percent)
        if variables is not None:
            row.canary_variables = check_variables(variables)
        if use_cache is not None:
            row.canary_use_cache = use_cache

    return change(stage, actor, "stage.canary_set", f"Set the canary of {stage}", edit)


def promote_canary(*, stage: Stage, actor: User | None) -> Stage:
    """Give every call what the canary has: its deployment, and its variables over the stage's.

    As with AWS the canary stays, at 0 percent, until it is removed.
    """

    def edit(row: Stage) -> None:
        _needed(row)
        row.deployment_id = row.canary_deployment_id
        row.variables = row.variables | row.canary_variables
        row.canary_percent = 0

    return change(stage, actor, "stage.canary_promoted", f"Promoted the canary of {stage}", edit)


def remove_canary(*, stage: Stage, actor: User | None) -> Stage:
    """Take the canary away: the stage's own deployment answers every call."""

    def edit(row: Stage) -> None:
        _needed(row)
        row.canary_deployment = None
        row.canary_percent, row.canary_variables, row.canary_use_cache = 0, {}, False

    return change(stage, actor, "stage.canary_removed", f"Removed the canary of {stage}", edit)


def _needed(stage: Stage) -> None:
    if stage.canary_deployment_id is None:
        raise Refused(NO_CANARY, field="stage", code="no_canary")


def _percent(value: Any) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not usable or not 0 <= value <= 100:
        raise Refused("Give a percentage from 0 to 100.", field="percent")
    return float(value)
