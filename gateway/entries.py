"""What goes down: entries. The control plane writes them, the agent stores them, the Lua gate reads them.

An entry is one JSON object: `{"kind", "key", "generation", "data"}`; `data` is null when the thing is gone.
A snapshot is all entries with data; a change is the entries with a generation above N. The dataclasses below
are the shapes of `data`, by kind; what is empty by default is left out (`compact`). Times are Unix seconds
(float) or null; limits of null mean "no limit".

| kind         | key                      | data           |
|--------------|--------------------------|----------------|
| mapping      | `host|base_path`         | Mapping        |
| stage        | stage id                 | Stage          |
| backend      | backend id               | Backend        |
| plan         | plan id                  | Plan           |
| subscription | subscription id          | Subscription   |
| key          | SHA-256 of the key, hex  | Key            |
| caller       | SHA-256 of an API token  | Caller         |
| api          | API id; `~` and its slug | Api            |
| certificate  | host name or `*.domain`  | Certificate    |
| installation | `installation`           | Installation   |

A mapping's host is `*` for "any host that no mapping claims"; its base path has no slashes at its ends and
may be empty. The canonical address is the mapping `{version id}.execute-api|{stage name}`: the gate shortens
the request's host `{version id}.execute-api.{anything}` to its first two labels.

Whether a key is valid is judged at the moment of the call from key, subscription, plan and stage; deadlines
lie in the entry.
"""

import json
from dataclasses import MISSING, Field, asdict, dataclass, field, fields, is_dataclass
from typing import Any

KINDS = (
    "mapping",
    "stage",
    "backend",
    "plan",
    "subscription",
    "key",
    "caller",
    "api",
    "certificate",
    "installation",
)


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


def compact(shape: Any) -> Any:
    """Return a shape below as JSON data without what is empty by default, which a reader takes as not said.

    A stage may have ten thousand operations, and every node holds every key: what is usual is left out.
    """
    if is_dataclass(shape) and not isinstance(shape, type):
        given = {each.name: getattr(shape, each.name) for each in fields(shape)}
        return {
            each.name: compact(given[each.name])
            for each in fields(shape)
            if not _is_empty_default(each, given[each.name])
        }
    if isinstance(shape, dict):
        return {name: compact(value) for name, value in shape.items()}
    if isinstance(shape, list):
        return [compact(value) for value in shape]
    return shape


def _is_empty_default(each: "Field[Any]", value: Any) -> bool:
    if (
        value
        or each.metadata.get("always")
        or (isinstance(value, int | float) and not isinstance(value, bool))
    ):
        return False
    default = each.default if each.default_factory is MISSING else each.default_factory()
    return bool(value == default)  # MISSING equals nothing


@dataclass(frozen=True, slots=True)
class Throttle:
    """A token bucket: `rate` calls a second, `burst` at once; rate 0 and burst 0 block."""

    rate: float
    burst: int


@dataclass(frozen=True, slots=True)
class Quota:
    """`limit` calls a `period` (DAY, WEEK, MONTH); spent through leases.

    `scope` is what it counts for: `subscription` (over all its keys) or `key` (each key on its own).
    `offline_allowance` is how many calls a node may admit beyond its lease, per window, while the control
    plane cannot be reached; 0 = refuse.
    """

    limit: int
    period: str
    offline_allowance: int = 0
    scope: str = "subscription"


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
class WeightedTarget:
    """One of several servers of a backend; calls are shared out by weight (1 to 1000)."""

    target: Target
    weight: int = 1


@dataclass(frozen=True, slots=True)
class Health:
    """Passive checks: after `failures` in a row an address rests for `rest_ms`, then gets one trial call."""

    failures: int
    rest_ms: int


@dataclass(frozen=True, slots=True)
class ClientTls:
    """How a node shows itself to a backend, and what it trusts: PEM texts; `` = none, or the node's bundle."""

    certificate: str = ""
    private_key: str = ""
    trust: str = ""


@dataclass(frozen=True, slots=True)
class Backend:
    """A named backend. Timeouts in milliseconds.

    `target` is the first server; `targets`, when not empty, are all of them (one scheme, one base path).
    """

    target: Target
    connect_timeout_ms: int
    timeout_ms: int
    targets: list[WeightedTarget] = field(default_factory=list)
    health: Health | None = None
    tls: ClientTls | None = None


@dataclass(frozen=True, slots=True)
class Integration:
    """What stands behind an operation.

    type `http_proxy`: proxied by nginx. Either `backend` (an id: the call's path below the base path follows
    the backend's) or `target` with `path`, a list of literal texts and 0-based numbers of captured path
    variables (already percent-encoded as the client sent them), or of `{"source": expression}`, an expression
    of AWS's that the gate evaluates and percent-encodes; `query` is put before the client's.
    type `unserved`: the operation is there, a call answers API_CONFIGURATION_ERROR; `reason` says why.
    """

    type: str
    backend: str = ""
    target: Target | None = None
    path: list[str | int | dict[str, str]] = field(default_factory=list, metadata={"always": True})
    query: str = ""
    method: str = ""  # '' = the client's
    timeout_ms: int = 29_000
    reason: str = ""
    # AWS's expressions, stage variables already put in: {"integration.request.header.X": "method.request.header.Y"}
    request_parameters: dict[str, str] = field(default_factory=dict)
    # {status or "default": {"overwrite:header.X": "value", "append:header.X": …, "remove:header.X": "''",
    #  "overwrite:statuscode": "410"}}
    response_parameters: dict[str, dict[str, str]] = field(default_factory=dict)
    stream: bool = False  # the answer is not buffered


@dataclass(frozen=True, slots=True)
class IpRules:
    """IPv4 and IPv6 networks (CIDR). Denied wins; an empty `allow` allows everybody who is not denied."""

    allow: list[str] = field(default_factory=list)
    deny: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cors:
    """What the gate answers to browsers of other origins; it replaces CORS headers of the backend.

    Origins are `*`, `https://a.example` or `https://*.example`; `headers` may be ["*"]. `max_age` in seconds.
    """

    origins: list[str]
    methods: list[str]
    headers: list[str] = field(default_factory=list)
    expose: list[str] = field(default_factory=list)
    max_age: int | None = None
    credentials: bool = False


@dataclass(frozen=True, slots=True)
class Cache:
    """Answers kept for `ttl` seconds (1 to 3600) under stage, deployment, operation and `keys`.

    A key is `query.NAME`, `header.NAME` or `path.NUMBER` (0-based path variable). Only GET, answers of at most
    1 MiB. `invalidation` is what happens to `Cache-Control: max-age=0`: `allow` (fetched anew), `warn` (served
    from the cache with a Warning header), `ignore` or `refuse` (403).
    """

    ttl: int
    keys: list[str] = field(default_factory=list)
    invalidation: str = "warn"


@dataclass(frozen=True, slots=True)
class Retries:
    """Up to `attempts` more tries at another address. `on` holds `error`, `timeout`, `502`, `503`, `504`.

    `error` (no connection, or cut before an answer) retries any method as long as nothing was sent; all else
    only GET, HEAD, PUT, DELETE, OPTIONS and TRACE.
    """

    attempts: int
    on: list[str]


@dataclass(frozen=True, slots=True)
class Policy:
    """What a stage, or one operation of it, asks of the gate. None = nothing is asked."""

    ip: IpRules | None = None
    cors: Cors | None = None
    cache: Cache | None = None
    retries: Retries | None = None
    timeout_ms: int | None = None  # over the backend's or the integration's
    max_body: int | None = None  # bytes; the node's own limit holds too


@dataclass(frozen=True, slots=True)
class Operation:
    """One method + path of the document.

    `policy` None = the stage's; otherwise it is the whole policy of this operation, nothing is inherited.
    """

    method: str
    path: str
    key_required: bool
    integration: Integration
    throttle: Throttle | None = None
    policy: Policy | None = None
    authorizer: str = ""  # an id of the stage's (or the canary's) authorizers; '' = none is asked


@dataclass(frozen=True, slots=True)
class Authorizer:
    """A Lambda function that says who may call, as AWS has it; the node's runtime asks it.

    `kind` is `token` or `request`; `function` the function's ARN; `identity` AWS's expressions
    (`method.request.header.X`, for `request` also `method.request.querystring.X`, `stageVariables.X`,
    `context.X`), for `token` exactly one header. `validation` is a regular expression that a token must match,
    `` = any. `ttl` = seconds that its policy is kept for the same identity (0 to 3600).
    """

    kind: str
    function: str
    identity: list[str] = field(default_factory=list)
    validation: str = ""
    ttl: int = 300


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a caller's key is: `header`, `bearer` (Authorization: Bearer …), `query` or `authorizer`."""

    place: str = "header"
    name: str = "x-api-key"


@dataclass(frozen=True, slots=True)
class GatewayResponse:
    """How a refusal of one type looks. None and {} = the built-in; texts as AWS's document has them."""

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)  # name -> 'static', context.x, method.request.…
    templates: dict[str, str] = field(default_factory=dict)  # media type -> text with $context.…


@dataclass(frozen=True, slots=True)
class Canary:
    """Another deployment that gets `percent` of the calls (0 to 100, drawn for each call)."""

    percent: float
    deployment: str
    operations: dict[str, Operation]
    trie: dict[str, Any]
    use_cache: bool = False
    variables: dict[str, str] = field(default_factory=dict)
    authorizers: dict[str, Authorizer] = field(default_factory=dict)


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
    organization: str = ""  # the provider's
    policy: Policy | None = None
    key_source: KeySource | None = None  # None = the header x-api-key
    responses: dict[str, GatewayResponse] = field(default_factory=dict)  # by AWS's type, DEFAULT_4XX too
    variables: dict[str, str] = field(default_factory=dict)
    compress_from: int | None = None  # bytes; None = answers are not compressed
    access_log: str | None = None  # AWS's format, one line, with $context.…
    deprecated_at: float | None = None
    sunset_at: float | None = None
    canary: Canary | None = None
    cache_epoch: int = 0  # grows when the cache is flushed: what was kept under an older number is not found
    about: dict[str, Any] = field(default_factory=dict)  # what keys/verify tells of it
    authorizers: dict[str, Authorizer] = field(default_factory=dict)
    request_log: str = ""  # which calls may be in the request log: '' = all, or sample, errors, off


@dataclass(frozen=True, slots=True)
class Plan:
    """Limits and the stage ids they open. Throttle counts per subscription, quota by its scope.

    `request_log` is as the stage's; of the two the narrower one holds.
    `operation_throttles` is {stage id: {operation id or "*": Throttle}}: a bucket of its own for each
    subscription, beside the plan's; the operation's entry is taken before "*".
    """

    stages: list[str]
    throttle: Throttle | None = None
    quota: Quota | None = None
    operation_throttles: dict[str, dict[str, Throttle]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    request_log: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """`active` folds the states of subscription, application and developer's organization into one.

    `quota_epochs` is {key id, or "" where all keys count together: epoch}: a lease of an older epoch is void.
    `quota` is spent where the plan has none: the control plane bounds the calls by what they cost. Until
    `stopped_until` every call is refused with the text `stopped`.
    """

    plan: str
    active: bool
    about: dict[str, Any] = field(default_factory=dict)
    quota_epochs: dict[str, int] = field(default_factory=dict)
    quota: Quota | None = None
    stopped_until: float | None = None
    stopped: str = ""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an application, with the application's subscriptions that are not cancelled.

    It holds from `not_before` until min(`expires_at`, `grace_until`), from `ips` (CIDR; empty = anywhere), for
    `referrers` (host names, `*.example.com`; empty = any or none). `counts_as` is the key id by which a quota
    for each key counts it (the first of its rotations); `` = its own.
    """

    id: str
    active: bool
    subscriptions: list[str]
    not_before: float | None = None
    expires_at: float | None = None
    grace_until: float | None = None
    ips: list[str] = field(default_factory=list)
    referrers: list[str] = field(default_factory=list)
    counts_as: str = ""
    about: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Caller:
    """A program that may ask keys/verify: an API token, and the organization whose keys it may see.

    `everything` is a superuser's: she may see every organization's.
    """

    id: str
    organization: str
    read_only: bool = False  # then it may check, not consume
    expires_at: float | None = None
    everything: bool = False


# Begins the key of an API's entry by slug; no id and no slug has it.
SLUG_MARK = "~"


@dataclass(frozen=True, slots=True)
class Api:
    """How keys/verify finds a stage by names: {stage id: [stage name, version id, version name]}."""

    id: str
    slug: str
    organization: str  # the provider's
    stages: dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class Certificate:
    """TLS for a custom domain. PEM texts. With `client_ca` a client must show a certificate signed by it."""

    certificate: str
    private_key: str
    client_ca: str = ""


@dataclass(frozen=True, slots=True)
class Installation:
    """Limits over everything that one installation serves."""

    throttle: Throttle | None = None
