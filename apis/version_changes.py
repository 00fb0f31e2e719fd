"""What changed between versions, and what a deploy would change."""

from collections import Counter
from collections.abc import Collection

from django.core.cache import cache

from apis.changelog import Change, compare
from apis.models import LIVE, ApiVersion, Deployment
from apis.openapi.parse import from_data
from apis.queries import live_stage

KEPT_SECONDS = 7 * 24 * 3600


def changes_between(before: ApiVersion, after: ApiVersion) -> list[Change]:
    """Return what changed for callers from what one version's live stage runs to what another's runs.

    Both must have a live stage. Deployments never change, so the answer is kept in the cache.
    """
    ids = [stage.deployment_id for stage in map(live_stage, (before, after)) if stage and stage.deployment_id]
    return changes_from(*ids)


def changes_from(before: str, after: str) -> list[Change]:
    """Return what callers notice when a stage moves from one deployment (its id) to another; kept as above."""
    key = f"changes:{before}:{after}"
    known: list[Change] | None = cache.get(key)
    if known is None:
        old, new = (Deployment.objects.get(pk=pk) for pk in (before, after))
        known = compare(from_data(old.document), from_data(new.document))
        cache.set(key, known, KEPT_SECONDS)
    return known


def changes_to_deploy(version: ApiVersion, stage_name: str = LIVE) -> list[Change] | None:
    """Return what callers of the stage would notice, were the version deployed now; None = it runs nothing."""
    stage = (
        version.stages.filter(name=stage_name).exclude(deployment=None).select_related("deployment").first()
    )
    if stage is None or stage.deployment is None:
        return None
    return compare(from_data(stage.deployment.document), from_data(version.document))


def summed_up(changes: Collection[Change]) -> str:
    """`2 breaking changes, 1 added, 3 changed`; `no changes`."""
    counts = Counter(each.kind for each in changes)
    breaking = sum(each.breaking for each in changes)
    parts = [f"{breaking} breaking change{'s' if breaking > 1 else ''}"] if breaking else []
    parts += [
        f"{counts[kind]} {kind}" for kind in ("added", "changed", "deprecated", "removed") if counts[kind]
    ]
    return ", ".join(parts) or "no changes"
