"""What a provider's dashboard can be about: an API, stage, operation, developer or key. Others' are not there (404)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest

from access.models import ApiKey
from accounts.models import Organization
from apis.models import Api, Operation, Stage
from metering.queries import Scope
from portal import provider_scope


@dataclass(frozen=True, slots=True)
class Target:
    """`provider` is whose traffic it is; `customer` is set where it is a developer's."""

    kind: str
    pk: str
    title: str
    provider: Organization
    scope: Scope
    hides: tuple[str, ...]
    customer: Organization | None = None


def find(request: HttpRequest, kind: str, pk: str) -> Target:
    """Return the target, or 404: also when it belongs to a provider whose traffic she may not see."""
    return KINDS[kind](request, pk)


def _api(request: HttpRequest, pk: str) -> Target:
    api = Api.objects.filter(pk=pk).first()
    provider = _provider_of(request, api, pk)
    return Target("api", pk, str(api), provider, Scope(provider=provider.pk, api=pk), ("api",))


def _stage(request: HttpRequest, pk: str) -> Target:
    stage = Stage.objects.select_related("version__api").defer("version__document").filter(pk=pk).first()
    provider = _provider_of(request, stage, stage.version.api_id if stage else "")
    scope = Scope(provider=provider.pk, stage=pk)
    return Target("stage", pk, str(stage), provider, scope, ("api", "version", "stage"))


def _operation(request: HttpRequest, pk: str) -> Target:
    rows = Operation.objects.select_related("version__api").defer("version__document")
    operation = rows.filter(pk=pk).first()
    provider = _provider_of(request, operation, operation.version.api_id if operation else "")
    scope = Scope(provider=provider.pk, operation=pk)
    title = f"{operation}, {operation.version}" if operation else ""
    return Target("operation", pk, title, provider, scope, ("api", "version", "operation"))


def _developer(request: HttpRequest, pk: str) -> Target:
    provider = provider_scope.chosen(request)
    customers = Organization.objects.filter(subscriptions__provider=provider)
    customer = customers.filter(pk=pk).distinct().first()
    if customer is None:
        raise Http404("no such customer")
    scope = Scope(provider=provider.pk, developer=pk)
    return Target("developer", pk, customer.name, provider, scope, ("developer",), customer)


def _key(request: HttpRequest, pk: str) -> Target:
    provider = provider_scope.chosen(request)
    keys = ApiKey.objects.filter(application__subscriptions__provider=provider)
    key = keys.filter(pk=pk).distinct().first()
    if key is None:
        raise Http404("no such key")
    return Target(
        "key", pk, f"Key {key}", provider, Scope(provider=provider.pk, key=pk), ("developer", "key")
    )


def _provider_of(request: HttpRequest, thing: Any, api_id: str) -> Organization:
    """Whose it is: a provider whose pages she sees, or one that gave her this API."""
    for each in provider_scope.choices(request):
        if thing is not None and each.pk == thing.organization_id:
            return each
    found = provider_scope.granted_provider(request, api_id) if thing is not None else None
    if found is None:
        raise Http404("not there")
    return found


KINDS: dict[str, Callable[[HttpRequest, str], Target]] = {
    "api": _api,
    "stage": _stage,
    "operation": _operation,
    "developer": _developer,
    "key": _key,
}
