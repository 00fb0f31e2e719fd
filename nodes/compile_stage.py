"""A stage and the deployment it points to -> the stage's entry."""

from collections.abc import Mapping
from typing import Any

from apis import compile as apis_compile
from apis.models import Deployment, RequestLogging, Stage, VersionState
from gateway import entries as shapes, trie
from nodes import about
from nodes.change import Change, unix
from nodes.compile_policy import Levels

CANONICAL_LABEL = ".execute-api"
STAGE_VARIABLE = "stageVariables."
Retries = Mapping[str, dict[str, Any]]


def canonical_key(stage: Stage) -> str:
    """Return the key of the mapping at which a stage always answers, as AWS has it."""
    return f"{stage.version_id}{CANONICAL_LABEL}|{stage.name}"


def stage_change(stage: Stage, retries: Retries | None = None) -> Change:
    """Compile one stage; load its version, both deployments and organization with it.

    `retries` are those of backends, by their id.
    """
    if stage.deployment is None:
        return Change("stage", stage.pk, stage.organization_id, None)
    problems: list[str] = []
    try:
        data = _stage(stage, stage.deployment, retries or {}, problems)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        reason = f"{type(error).__name__}: {error}"
        return Change("stage", stage.pk, stage.organization_id, None, problem=reason)
    return Change("stage", stage.pk, stage.organization_id, data, problem="; ".join(problems))


def _stage(stage: Stage, deployment: Deployment, retries: Retries, problems: list[str]) -> shapes.Stage:
    compiled = deployment.compiled
    levels = Levels(stage.name, stage.policy, stage.operation_policies, compiled)
    operations, routes = _operations(compiled, levels, stage.variables, retries, problems)
    throttle = None
    if stage.throttle_rate is not None and stage.throttle_burst is not None:
        throttle = shapes.Throttle(stage.throttle_rate, stage.throttle_burst)
    version = stage.version
    state = version.state
    source, responses = compiled.get("key_source"), compiled.get("responses", {})
    compress_from = stage.compress_from
    return shapes.Stage(
        api_id=version.api_id,
        version_id=stage.version_id,
        name=stage.name,
        state=VersionState.PUBLISHED.value if state == VersionState.DRAFT else state,
        deployment=deployment.pk,
        operations=operations,
        trie=routes,
        throttle=throttle,
        suspended=stage.organization.suspended_at is not None,
        organization=stage.organization_id,
        policy=levels.policy,
        key_source=shapes.KeySource(**source) if source else None,
        responses={kind: shapes.GatewayResponse(**each) for kind, each in responses.items()},
        variables=stage.variables,
        compress_from=compiled.get("compress_from") if compress_from is None else compress_from,
        access_log=stage.access_log or None,
        deprecated_at=unix(version.deprecated_at),
        sunset_at=unix(version.sunset_at),
        canary=_canary(stage, retries, problems),
        cache_epoch=stage.cache_epoch,
        about=about.of_stage(stage),
        authorizers=_authorizers(compiled),
        request_log=request_log_of(stage.request_log),
    )


def request_log_of(mode: str) -> str:
    """Return how a stage's or plan's entry says it: what is usual is left out."""
    return "" if mode == RequestLogging.ALL else str(mode)


def _canary(stage: Stage, retries: Retries, problems: list[str]) -> shapes.Canary | None:
    if stage.canary_deployment is None:
        return None
    compiled = stage.canary_deployment.compiled
    levels = Levels(stage.name, stage.policy, stage.operation_policies, compiled)
    variables = stage.variables | stage.canary_variables
    found: list[str] = []
    operations, routes = _operations(compiled, levels, variables, retries, found)
    problems += [f"canary: {each}" for each in found]
    return shapes.Canary(
        percent=stage.canary_percent,
        deployment=stage.canary_deployment.pk,
        operations=operations,
        trie=routes,
        use_cache=stage.canary_use_cache,
        variables=stage.canary_variables,
        authorizers=_authorizers(compiled),
    )


def _authorizers(compiled: dict[str, Any]) -> dict[str, shapes.Authorizer]:
    return {name: shapes.Authorizer(**each) for name, each in compiled.get("authorizers", {}).items()}


def _operations(
    compiled: dict[str, Any],
    levels: Levels,
    variables: dict[str, str],
    retries: Retries,
    problems: list[str],
) -> tuple[dict[str, shapes.Operation], trie.Trie]:
    operations = {}
    routes: trie.Trie = {}
    for raw in compiled["operations"]:
        try:
            trie.add(routes, raw["id"], raw["method"], raw["path"])
        except trie.UnroutableError as error:
            problems.append(f"{raw['method']} {raw['path']} is left out: {error}")
            continue
        integration = _integration(raw, variables, problems)
        throttle, policy = levels.of(raw, retries.get(integration.backend))
        operations[raw["id"]] = shapes.Operation(
            raw["method"],
            raw["path"],
            raw["key_required"],
            integration,
            throttle,
            policy,
            raw.get("authorizer", ""),
        )
    return operations, routes


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
        request_parameters=_parameters(raw.get("request_parameters", {}), variables),
        response_parameters=raw.get("response_parameters", {}),
        stream=raw.get("stream", False),
    )


def _parameters(raw: dict[str, str], variables: dict[str, str]) -> dict[str, str]:
    """Put stage variables in; what names one that is not set is left out, as AWS does."""
    made = {}
    for target, source in raw.items():
        name = source.removeprefix(STAGE_VARIABLE)
        if name == source:
            made[target] = source
        elif variables.get(name):
            made[target] = f"'{variables[name]}'"
    return made
