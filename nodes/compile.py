"""Models -> the entries that nodes need.

Each function takes ids (None = all) and asks a few queries for all of them. A row that is gone, or that nodes
need not know, gives a change without data.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Max, QuerySet

from access.models import ApiKey, KeyState, Subscription, SubscriptionState, UsagePlan
from apis.models import Backend, BasePathMapping, Stage
from gateway import entries as shapes
from nodes import about, allowance
from nodes.change import Change, unix
from nodes.compile_callers import apis, apis_of, callers
from nodes.compile_stage import CANONICAL_LABEL, canonical_key, request_log_of, stage_change
from nodes.compile_tls import certificates, client_tls
from nodes.models import Entry, Installation, QuotaWindow

Ids = Collection[str] | None


def everything() -> Iterator[Change]:
    """Compile all models."""
    asked = chain(apis(None), callers(None))
    rules = chain(installation(), plans(None), subscriptions(None), keys(None))
    return chain(certificates(None), backends(None), stages(None), mappings(None), rules, asked)


def backends(ids: Ids) -> Iterator[Change]:
    """One change for each backend."""
    found = _chosen(Backend.objects.all(), ids)
    for backend in found:
        try:
            data = _backend(backend)
        except (KeyError, TypeError, ValueError) as error:
            yield Change("backend", backend.pk, backend.organization_id, None, problem=str(error))
        else:
            yield Change("backend", backend.pk, backend.organization_id, data)
    yield from _gone("backend", ids, found)


def _backend(backend: Backend) -> shapes.Backend:
    first = target(backend.url)
    others = [shapes.WeightedTarget(target(each["url"]), each["weight"]) for each in backend.targets]
    return shapes.Backend(
        first,
        backend.connect_timeout_ms,
        backend.timeout_ms,
        targets=[shapes.WeightedTarget(first, backend.weight), *others] if others else [],
        health=shapes.Health(**backend.health) if backend.health else None,
        tls=client_tls(backend),
    )


def target(url: str) -> shapes.Target:
    """Take a backend's URL apart; raises ValueError with the reason."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an http(s) URL")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return shapes.Target(parts.scheme, parts.hostname, port, parts.path.rstrip("/"))


def stages(ids: Ids) -> Iterator[Change]:
    """One change for each stage, and those of the addresses that lead to it or led to it."""
    rows = Stage.objects.select_related("version__api", "deployment", "canary_deployment", "organization")
    # large, and not needed here
    rows = rows.defer("version__document", "deployment__document", "canary_deployment__document")
    found = _chosen(rows, ids)
    retries = _retries({stage.organization_id for stage in found})
    for stage in found:
        yield stage_change(stage, retries)
    yield from _gone("stage", ids, found)
    if ids is not None:
        yield from mappings(_addresses_of(ids, found))
        yield from apis(apis_of(ids))


def _retries(organizations: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the retries of these providers' backends, by backend id."""
    rows = Backend.objects.filter(organization__in=organizations, retries__isnull=False)
    return {pk: retries for pk, retries in rows.values_list("pk", "retries") if retries}


def _addresses_of(ids: Collection[str], found: list[Stage]) -> set[str]:
    keys = {canonical_key(stage) for stage in found}
    for host, base_path in BasePathMapping.objects.filter(stage__in=ids).values_list("host", "base_path"):
        keys.add(f"{host or '*'}|{base_path}")
    former = Entry.objects.filter(kind="mapping", data__stage__in=list(ids))
    return keys | set(former.values_list("key", flat=True))


def mappings(addresses: Ids) -> Iterator[Change]:
    """One change for each address `host|base_path`; '' and `*` both mean any host.

    Only what is deployed has one: its base path mappings, and `{version}.execute-api|{stage}` unless that is
    switched off.
    """
    deployed = Stage.objects.filter(deployment__isnull=False, version__disable_execute_api_endpoint=False)
    mapped = BasePathMapping.objects.filter(stage__deployment__isnull=False)
    wanted: set[str] | None = None
    if addresses is not None:
        pairs = [_split(address) for address in addresses]
        wanted = {f"{host}|{base_path}" for host, base_path in pairs}
        hosts = {"" if host == "*" else host for host, _ in pairs}
        versions = {host.removesuffix(CANONICAL_LABEL) for host in hosts if host.endswith(CANONICAL_LABEL)}
        mapped = mapped.filter(host__in=hosts, base_path__in={base_path for _, base_path in pairs})
        deployed = deployed.filter(version__in=versions)
    made = {}
    for mapping in mapped:
        key = f"{mapping.host or '*'}|{mapping.base_path}"
        made[key] = Change("mapping", key, mapping.organization_id, shapes.Mapping(mapping.stage_id))
    # last, so that nobody can take a canonical address away by mapping it
    for stage in deployed:
        key = canonical_key(stage)
        made[key] = Change("mapping", key, stage.organization_id, shapes.Mapping(stage.pk))
    for key in made if wanted is None else wanted:
        yield made.get(key) or Change("mapping", key, None, None)


def _split(address: str) -> tuple[str, str]:
    host, _, base_path = address.partition("|")
    return host or "*", base_path


def plans(ids: Ids) -> Iterator[Change]:
    """One change for each usage plan."""
    found = _chosen(UsagePlan.objects.prefetch_related("plan_stages", "operation_throttles"), ids)
    for plan in found:
        quota = None
        if plan.quota_limit is not None:
            quota = shapes.Quota(
                plan.quota_limit, plan.quota_period, plan.quota_offline_allowance, plan.quota_scope
            )
        opened = sorted(opened.stage_id for opened in plan.plan_stages.all())
        data = shapes.Plan(
            opened,
            _throttle(plan.throttle_rate, plan.throttle_burst),
            quota,
            operation_throttles=_operation_throttles(plan, opened),
            about=about.of_plan(plan),
            request_log=request_log_of(plan.request_log),
        )
        yield Change("plan", plan.pk, plan.organization_id, data)
    yield from _gone("plan", ids, found)


def _operation_throttles(plan: UsagePlan, opened: list[str]) -> dict[str, dict[str, shapes.Throttle]]:
    made: dict[str, dict[str, shapes.Throttle]] = defaultdict(dict)
    for each in plan.operation_throttles.all():
        if each.stage_id in opened:
            made[each.stage_id][each.operation_id or "*"] = shapes.Throttle(each.rate, each.burst)
    return dict(made)


def installation() -> Iterator[Change]:
    """The one entry of limits over everything; none where nothing was set."""
    row = Installation.objects.first()
    throttle = _throttle(row.throttle_rate, row.throttle_burst) if row else None
    yield Change("installation", "installation", None, shapes.Installation(throttle) if throttle else None)


def _throttle(rate: float | None, burst: int | None) -> shapes.Throttle | None:
    return None if rate is None or burst is None else shapes.Throttle(rate, burst)


def subscriptions(ids: Ids) -> Iterator[Change]:
    """One change for each subscription; a cancelled one is gone."""
    rows = Subscription.objects.select_related("application", "organization", "plan", "allowance")
    found = _chosen(rows, ids)
    epochs = _epochs(ids)
    for subscription in found:
        data = None
        if subscription.state != SubscriptionState.CANCELLED:
            active = (
                subscription.state == SubscriptionState.ACTIVE
                and subscription.application.state == "active"
                and subscription.organization.suspended_at is None
            )
            data = shapes.Subscription(
                subscription.plan_id,
                active,
                quota_epochs=epochs[subscription.pk],
                about=about.of_subscription(subscription),
                **allowance.entry_fields(subscription),
            )
        yield Change("subscription", subscription.pk, subscription.organization_id, data)
    yield from _gone("subscription", ids, found)


def _epochs(ids: Ids) -> dict[str, dict[str, int]]:
    """Return the epochs of quotas whose remaining calls were ever set by hand, by subscription and key."""
    rows = QuotaWindow.objects.filter(epoch__gt=0)
    if ids is not None:
        rows = rows.filter(subscription__in=ids)
    newest = rows.values_list("subscription", "key").annotate(newest=Max("epoch")).order_by()
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for subscription_id, key_id, epoch in newest:
        found[subscription_id][key_id or ""] = epoch
    return found


def keys(ids: Ids) -> Iterator[Change]:
    """One change for each key; a disabled one is not active, of a revoked one only what is told of it is left."""
    rows = ApiKey.objects.all() if ids is None else ApiKey.objects.filter(pk__in=ids)
    bought = Subscription.objects.order_by("pk")
    if ids is not None:
        bought = bought.filter(application__in=rows.values("application"))
    of_application, providers = defaultdict(list), defaultdict(set)
    for pk, application_id, provider_id, state in bought.values_list(
        "pk", "application", "provider", "state"
    ):
        providers[application_id].add(provider_id)
        if state != SubscriptionState.CANCELLED:
            of_application[application_id].append(pk)
    rows = rows.select_related("application", "organization").order_by("pk")
    for key in rows.iterator(chunk_size=2_000):
        told = about.of_key(key, providers[key.application_id])
        if key.state == KeyState.REVOKED:
            data = shapes.Key(
                id=key.pk,
                active=False,
                subscriptions=[],
                not_before=unix(key.not_before),
                expires_at=unix(key.expires_at),
                grace_until=unix(key.grace_until),
                about=told,
            )
        else:
            data = shapes.Key(
                id=key.pk,
                active=key.state == KeyState.ACTIVE,
                subscriptions=of_application[key.application_id],
                not_before=unix(key.not_before),
                expires_at=unix(key.expires_at),
                grace_until=unix(key.grace_until),
                ips=key.ips,
                referrers=key.referrers,
                counts_as=key.origin_id or "",
                about=told,
            )
        yield Change("key", key.hash, key.organization_id, data)


def keys_of_subscriptions(ids: Collection[str]) -> list[str]:
    """Return the ids of the keys whose entry names one of these subscriptions, or must name it."""
    rows = ApiKey.objects.filter(application__subscriptions__in=ids)
    return list(rows.values_list("pk", flat=True).distinct())


def _chosen(rows: "QuerySet[Any]", ids: Ids) -> list[Any]:
    return list(rows.order_by("pk") if ids is None else rows.filter(pk__in=ids).order_by("pk"))


def _gone(kind: str, ids: Ids, found: list[Any]) -> Iterator[Change]:
    for pk in sorted(set(ids or ()) - {row.pk for row in found}):
        yield Change(kind, pk, None, None)
