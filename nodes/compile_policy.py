"""Policies in their JSON form (`apis.policy`) -> the shapes that nodes read."""

from collections.abc import Iterable, Mapping
from typing import Any

from apis.openapi.paths import variables_of
from apis.openapi.resource_policy import rules_of
from apis.policy import effective
from apis.policy.ip import both
from gateway import entries as shapes

Level = Mapping[str, Any]


def policy_of(found: Level, path: str = "", cache_keys: Iterable[str] | None = None) -> shapes.Policy | None:
    """Return the shape of an effective policy; None = nothing is asked.

    `cache_keys` are what the document's integration names, for a cache that names none itself.
    """
    asked = {name: value for name, value in found.items() if name != "throttle"}
    if not asked:
        return None
    return shapes.Policy(
        ip=shapes.IpRules(**asked["ip"]) if "ip" in asked else None,
        cors=shapes.Cors(**asked["cors"]) if "cors" in asked else None,
        cache=_cache(asked["cache"], path, cache_keys) if "cache" in asked else None,
        retries=shapes.Retries(**asked["retries"]) if "retries" in asked else None,
        timeout_ms=asked.get("timeout_ms"),
        max_body=asked.get("max_body"),
    )


def _cache(raw: Level, path: str, cache_keys: Iterable[str] | None) -> shapes.Cache:
    numbers = {f"path.{name}": f"path.{number}" for number, name in enumerate(variables_of(path))}
    keys = [numbers.get(key, key) for key in raw.get("keys", cache_keys or [])]
    # a stage names variables that not every operation has
    known = [key for key in keys if not key.startswith("path.") or key in numbers.values()]
    return shapes.Cache(raw["ttl"], known, raw.get("invalidation", "warn"))


def throttle_of(found: Level) -> shapes.Throttle | None:
    """Return the bucket of an operation's own."""
    raw = found.get("throttle")
    return shapes.Throttle(raw["rate"], raw["burst"]) if raw else None


class Levels:
    """The levels of one stage and one deployment, most specific first.

    stage for an operation, document for an operation, stage, document, backend (retries only). The rules of the
    document's resource policy hold besides.
    """

    def __init__(
        self, stage_name: str, stage: Level, operations: Mapping[str, Level], compiled: Level
    ) -> None:
        self._name = stage_name
        self._operations = operations
        self._whole = (stage, compiled.get("policy"))
        self._statements = compiled.get("statements", [])
        self._found = effective(self._whole)
        self.policy = policy_of(self._found)

    def of(self, raw: Level, retries: Level | None) -> tuple[shapes.Throttle | None, shapes.Policy | None]:
        """Return an operation's own throttle and policy; None = the stage's policy. `retries`: its backend's."""
        own = (self._operations.get(raw["id"]), raw.get("policy"))
        keys, rules = raw.get("cache_keys"), None
        if self._statements:
            rules = rules_of(self._statements, self._name, raw["method"], raw["path"])
        if not (any(own) or keys or rules or retries):
            return throttle_of(self._found), None
        found = effective((*own, *self._whole, {"retries": retries} if retries else None))
        if rules:
            found["ip"] = both(rules, found["ip"]) if "ip" in found else rules
        policy = policy_of(found, raw["path"], keys) or shapes.Policy()
        same = policy == (self.policy or shapes.Policy())
        return throttle_of(found), None if same else policy
