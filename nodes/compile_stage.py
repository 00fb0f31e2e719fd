"""A stage and the deployment it points to -> the stage's entry."""

from typing import Any

from apis import compile as apis_compile
from apis.models import Stage, VersionState
from gateway import entries as shapes, trie
from nodes import about
from nodes.change import Change

CANONICAL_LABEL = ".execute-api"


def canonical_key(stage: Stage) -> str:
    """Return the key of the mapping at which a stage always answers, as AWS has it."""
    return f"{stage.version_id}{CANONICAL_LABEL}|{stage.name}"


def stage_change(stage: Stage) -> Change:
    """Compile one stage; load its version, deployment and organization with it."""
    if stage.deployment is None:
        return Change("stage", stage.pk, stage.organization_id, None)
    problems: list[str] = []
    try:
        data = _stage(stage, problems)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        return Change("stage", stage.pk, stage.organization_id, None, problem=reason)
    return Change("stage", stage.pk, stage.organization_id, data, problem="; ".join(problems))


def _stage(stage: Stage, problems: list[str]) -> shapes.Stage:
    assert stage.deployment is not None
    operations = {}
    routes: trie.Trie = {}
    for raw in stage.deployment.compiled["operations"]:
        try:
            trie.add(routes, raw["id"], raw["method"], raw["path"])
        except trie.UnroutableError as error:
            problems.append(f"{raw['method']} {raw['path']} is left out: {error}")
            continue
        integration = _integration(raw, stage.variables, problems)
        operations[raw["id"]] = shapes.Operation(raw["method"], raw["path"], raw["key_required"], integration)
    throttle = None
    if stage.throttle_rate is not None and stage.throttle_burst is not None:
        throttle = shapes.Throttle(stage.throttle_rate, stage.throttle_burst)
    state = stage.version.state
    return shapes.Stage(
        api_id=stage.version.api_id,
        version_id=stage.version_id,
        name=stage.name,
        state=VersionState.PUBLISHED.value if state == VersionState.DRAFT else state,
        deployment=stage.deployment_id or "",
        operations=operations,
        trie=routes,
        throttle=throttle,
        suspended=stage.organization.suspended_at is not None,
        about=about.of_stage(stage),
    )


def _integration(
    operation: dict[str, Any], variables: dict[str, str], problems: list[str]
) -> shapes.Integration:
    """Make an operation's integration. One that its stage's variables break is unserved, the others go on."""
    raw = operation["integration"]
    if raw["type"] == "unserved":
        return shapes.Integration(type="unserved", reason=raw["reason"])
    if "backend" in raw:
        return shapes.Integration(type=raw["type"], backend=raw["backend"])
    try:
        server, path, query = apis_compile.resolve_uri(raw["uri"], variables, raw["captures"])
    except apis_compile.UriError as error:
        problems.append(f"{operation['method']} {operation['path']}: {error}")
        return shapes.Integration(type="unserved", reason=str(error))
    return shapes.Integration(
        type=raw["type"],
        target=shapes.Target(server.scheme, server.host, server.port),
        path=path,
        query=query,
        method=raw["method"],
        timeout_ms=raw["timeout_ms"],
    )
