"""What goes down: entries. The control plane writes them, the agent stores them, the Lua gate reads them.

An entry is one JSON object: `{"kind", "key", "generation", "data"}`; `data` is null when the thing is gone.
A snapshot is all entries with data; a change is the entries with a generation above N. The dataclasses below
are the shapes of `data`, by kind. Times are Unix seconds (float) or null; limits of null mean "no limit".

| kind         | key                      | data           |
|--------------|--------------------------|----------------|
| mapping      | `host|base_path`         | Mapping        |
| stage        | stage id                 | Stage          |
| backend      | backend id               | Backend        |
| plan         | plan id                  | Plan           |
| subscription | subscription id          | Subscription   |
| key          | SHA-256 of the key, hex  | Key            |

A mapping's host is `*` for "any host that no mapping claims"; its base path has no slashes at its ends and
may be empty. The canonical address is the mapping `{version id}.execute-api|{stage name}`: the gate shortens
the request's host `{version id}.execute-api.{anything}` to its first two labels.

Whether a key is valid is judged at the moment of the call from key, subscription, plan and stage; deadlines
lie in the entry.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

KINDS = ("mapping", "stage", "backend", "plan", "subscription", "key")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a node must know, as written at `generation`."""

    kind: str
    key: str
    generation: int
    data: dict[str, Any] | None

    def to_json(self) -> str:
        """Return one line of compact JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_dict(cls, raw: dict[str, Any]) -> "Entry":
        """Check the outer shape; raises ValueError with the reason."""
        if raw.get("kind") not in KINDS:
            raise ValueError(f"unknown kind {raw.get('kind')!r}")
        if not isinstance(raw.get("key"), str) or not raw["key"]:
            raise ValueError("key is missing")
        if not isinstance(raw.get("generation"), int) or raw["generation"] < 1:
            raise ValueError("generation must be a positive number")
        if raw.get("data") is not None and not isinstance(raw["data"], dict):
            raise ValueError("data must be an object or null")
        return cls(raw["kind"], raw["key"], raw["generation"], raw.get("data"))


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket: `rate` calls a second, `burst` at once; rate 0 and burst 0 block."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Quota:
    """`limit` calls a `period` (DAY, WEEK, MONTH); spent through leases.

    `offline_allowance` is how many calls a node may admit beyond its lease, per window, while the control
    plane cannot be reached; 0 = refuse.
    """

    limit: int
    period: str
    offline_allowance: int = 0


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where an address leads."""

    stage: str


@dataclass(frozen=True, slots=True)
class Target:
    """A server: scheme http or https, host name or IP literal, port, base path ('' or '/x', no end slash)."""

    scheme: str
    host: str
    port: int
    path: str = ""


@dataclass(frozen=True, slots=True)
class Backend:
    """A named backend. Timeouts in milliseconds."""

    target: Target
    connect_timeout_ms: int
    timeout_ms: int


@dataclass(frozen=True, slots=True)
class Integration:
    """What stands behind an operation.

    type `http_proxy`: proxied by nginx. Either `backend` (an id: the call's path below the base path follows
    the backend's) or `target` with `path`, a list of literal texts and 0-based numbers of captured path
    variables (already percent-encoded as the client sent them); `query` is put before the client's.
    type `unserved`: the operation is there, a call answers API_CONFIGURATION_ERROR; `reason` says why.
    """

    type: str
    backend: str = ""
    target: Target | None = None
    path: list[str | int] = field(default_factory=list)
    query: str = ""
    method: str = ""  # '' = the client's
    timeout_ms: int = 29_000
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One method + path of the document."""

    method: str
    path: str
    key_required: bool
    integration: Integration
    throttle: Throttle | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage with its deployment's operations.

    `trie` is the route tree, made by the control plane. A node of it is an object with any of
    `m`: {METHOD: operation id} (METHOD may be ANY) for a path that ends here;
    `s`: {segment: node}, static children (segments percent-decoded);
    `p`: [[pieces, node], …], children such as `{name}.json`: literal pieces ["", ".json"] around variables,
         most specific first;
    `v`: node, the child for `{variable}`;
    `g`: {METHOD: operation id}, a greedy `{proxy+}` that takes one or more segments.
    Per segment the order is s, p, v, g; where a branch fails, the next is tried.
    """

    api_id: str
    version_id: str
    name: str
    state: str  # published, deprecated or retired
    deployment: str
    operations: dict[str, Operation]
    trie: dict[str, Any]
    throttle: Throttle | None = None
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """Limits and the stage ids they open. Throttle and quota count per subscription."""

    stages: list[str]
    throttle: Throttle | None = None
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """`active` folds the states of subscription, application and developer's organization into one."""

    plan: str
    active: bool


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an application, with the application's subscriptions that are not cancelled.

    It holds from `not_before` until min(`expires_at`, `grace_until`).
    """

    id: str
    active: bool
    subscriptions: list[str]
    not_before: float | None = None
    expires_at: float | None = None
    grace_until: float | None = None
