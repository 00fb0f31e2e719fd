"""Addresses of stages: host + base path. Called through `publish.py`.

The shared host ('' in a mapping) belongs to all organizations, so there nobody takes an address that begins
with somebody else's API; any other host belongs to the organization that has its domain, or mapped it first
(`domains.py`).
"""

from django.db import IntegrityError, transaction

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import User
from accounts.rows import locked
from apis.domains import check_owner, clean_domain
from apis.models import Api, ApiVersion, BasePathMapping, DomainName, Stage
from apis.names import clean_base_path
from apis.signals import mappings_changed


def address_key(mapping: BasePathMapping) -> str:
    """Return `host|base_path`, as signals name an address."""
    return f"{mapping.host}|{mapping.base_path}"


def map_default(*, stage: Stage, actor: User | None) -> BasePathMapping:
    """Map /{api.slug}/{version.name} of the shared host, which every live stage gets when it is made."""
    version = stage.version
    return map_base_path(stage=stage, base_path=f"{version.api.slug}/{version.name}", actor=actor)


@transaction.atomic
def map_base_path(
    *, stage: Stage, host: str = "", base_path: str = "", actor: User | None
) -> BasePathMapping:
    """Give a stage one more address; '' as host = the shared host, `*.example.com` = a wildcard domain's hosts.

    An address that leads to this stage already is returned as it is. Refused: fields host and base_path.
    """
    host = clean_domain(host) if host.strip() else ""
    base_path = clean_base_path(base_path, host)
    known = BasePathMapping.objects.filter(host=host, base_path=base_path).first()
    if known and known.stage_id == stage.pk:
        return known
    _check_owner(stage, host, base_path)
    if known:
        raise _taken(host, base_path)
    mapping = BasePathMapping(
        organization_id=stage.organization_id, stage=stage, host=host, base_path=base_path
    )
    try:
        with transaction.atomic():
            mapping.save(force_insert=True)
    except IntegrityError as error:
        raise _taken(host, base_path) from error
    _announce(mapping, actor, "mapping.created", f"{mapping} leads to {stage}")
    return mapping


@transaction.atomic
def move_base_path(*, mapping: BasePathMapping, stage: Stage, actor: User | None) -> BasePathMapping:
    """Let an address lead to another stage of the same organization, without a moment in between."""
    if stage.organization_id != mapping.organization_id:
        raise Refused("This stage belongs to another organization.", field="stage")
    if mapping.stage_id != stage.pk:
        mapping.stage = stage
        mapping.save(update_fields=["stage"])
        _announce(mapping, actor, "mapping.moved", f"{mapping} leads to {stage}")
    return mapping


@transaction.atomic
def unmap(*, mapping: BasePathMapping, actor: User | None) -> None:
    """Take an address away. The stage's canonical address stays."""
    _announce(mapping, actor, "mapping.removed", f"{mapping} leads nowhere", sends=False)
    key = address_key(mapping)
    mapping.delete()
    mappings_changed.send(sender=BasePathMapping, addresses=[key])


@transaction.atomic
def set_execute_api_endpoint(*, version: ApiVersion, disabled: bool, actor: User | None) -> ApiVersion:
    """Switch the canonical addresses of a version's stages off or on, at once.

    Off, its stages answer at their base path mappings only: a domain that asks for client certificates then has
    no way around. The word is AWS's (`disableExecuteApiEndpoint`).
    """
    version = locked(version)
    if version.disable_execute_api_endpoint != disabled:
        version.disable_execute_api_endpoint = disabled
        version.save(update_fields=["disable_execute_api_endpoint", "updated_at"])
        record(
            organization=version.organization,
            actor=actor,
            action="version.execute_api_endpoint_set",
            target=version,
            summary=f"Switched the canonical address of {version} {'off' if disabled else 'on'}",
            changes={"disable_execute_api_endpoint": [not disabled, disabled]},
        )
        addresses = [f"{version.pk}.execute-api|{stage.name}" for stage in version.stages.all()]
        mappings_changed.send(sender=ApiVersion, addresses=addresses)
    return version


def _check_owner(stage: Stage, host: str, base_path: str) -> None:
    if host:
        check_owner(host, stage.organization_id)
        own = DomainName.objects.filter(host=host, organization=stage.organization_id)
        if host.startswith("*.") and not own.exists():
            message = f"A wildcard needs a domain: give {host} a certificate first."
            raise Refused(message, field="host")
        return
    foreign = Api.objects.exclude(organization=stage.organization_id)
    if not base_path and foreign.exists():
        message = "The root of the shared host belongs to everybody; map a host of your own."
        raise Refused(message, field="base_path")
    if foreign.filter(slug=base_path.partition("/")[0]).exists():
        raise _taken(host, base_path)


def _taken(host: str, base_path: str) -> Refused:
    message = f"The address {host or '*'}/{base_path} is taken; choose another base path, or unmap it first."
    return Refused(message, field="base_path", code="taken")


def _announce(
    mapping: BasePathMapping, actor: User | None, action: str, summary: str, sends: bool = True
) -> None:
    record(
        organization=mapping.organization,
        actor=actor,
        action=action,
        target=mapping,
        summary=summary,
    )
    if sends:
        mappings_changed.send(sender=BasePathMapping, addresses=[address_key(mapping)])
