"""What holds for an operation on a stage, level by level, as pages and the API show it."""

from typing import Any

from apis.models import Operation, Stage
from apis.openapi.operations import ANY
from apis.policy import effective, remarks

# most specific first
LEVELS = ("stage_operation", "document_operation", "stage", "document")


def policy_levels(stage: Stage, operation: Operation) -> dict[str, dict[str, Any]]:
    """Return the policy of each level; those of the document are the deployed ones."""
    compiled = stage.deployment.compiled if stage.deployment else {}
    own: dict[str, Any] = next(
        (each for each in compiled.get("operations", ()) if each["id"] == operation.pk), {}
    )
    return {
        "stage_operation": stage.operation_policies.get(operation.pk, {}),
        "document_operation": own.get("policy", {}),
        "stage": stage.policy,
        "document": compiled.get("policy", {}),
    }


def effective_policy(stage: Stage, operation: Operation) -> dict[str, Any]:
    """Return what holds for an operation on a stage, field by field from the most specific level."""
    levels = policy_levels(stage, operation)
    return effective(levels[name] for name in LEVELS)


def asks_for_addresses(stage: Stage, method: str, path: str) -> bool:
    """Whether the stage may refuse a call of the operation for its client's address; load `deployment` beforehand.

    True as well where the document has a resource policy, whatever that says of this operation.
    """
    compiled = stage.deployment.compiled if stage.deployment else {}
    if compiled.get("statements") or "ip" in effective([stage.policy, compiled.get("policy", {})]):
        return True
    return any(
        "ip" in effective([stage.operation_policies.get(each["id"], {}), each.get("policy", {})])
        for each in compiled.get("operations", ())
        if each["path"] == path and each["method"] in (method, ANY)
    )


def caches(stage: Stage) -> bool:
    """Whether the stage keeps answers of any of its operations; load `deployment` beforehand."""
    compiled = stage.deployment.compiled if stage.deployment else {}
    for operation in compiled.get("operations", ()):
        levels = (
            stage.operation_policies.get(operation["id"], {}),
            operation.get("policy", {}),
            stage.policy,
            compiled.get("policy", {}),
        )
        if effective(levels).get("cache"):
            return True
    return False


def stage_remarks(stage: Stage) -> list[str]:
    """Say what of a stage's settings is odd, though it can be used."""
    whole = None
    if stage.throttle_rate is not None and stage.throttle_burst is not None:
        whole = {"rate": stage.throttle_rate, "burst": stage.throttle_burst}
    if whole is None:
        return []
    rows = Operation.objects.filter(pk__in=stage.operation_policies)
    names = {row.pk: str(row) for row in rows}
    policies = {names[pk]: policy for pk, policy in stage.operation_policies.items() if pk in names}
    return remarks(whole, {"Every operation": stage.policy} | policies)
