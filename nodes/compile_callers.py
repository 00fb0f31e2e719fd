"""Who may ask a node about keys, and how the stages are named there: entries for keys/verify."""

from collections.abc import Collection, Iterable, Iterator

from django.db.models import Exists, OuterRef, Q

from accounts.models import ApiToken, Member, Role
from apis.models import Api, Stage
from gateway import entries as shapes
from nodes.change import Change
from nodes.models import Entry

Ids = Collection[str] | None


def callers(ids: Ids) -> Iterator[Change]:
    """One change for each API token; one that `accounts.tokens.find_token` would not find is gone.

    So is one of a member who is limited to chosen APIs: who asks about keys learns of the whole organization.
    """
    place = Member.objects.filter(user=OuterRef("user"), organization=OuterRef("organization"))
    place = place.exclude(role=Role.LIMITED)
    rows = ApiToken.objects.select_related("user", "organization")
    rows = rows.annotate(is_member=Exists(place)).order_by("pk")
    for token in rows if ids is None else rows.filter(pk__in=ids):
        everything = token.user.is_superuser
        living = (
            token.revoked_at is None
            and token.user.is_active
            and token.organization.suspended_at is None
            and (everything or token.is_member)
        )
        data = shapes.Caller(
            id=token.pk,
            organization=token.organization_id,
            read_only=token.read_only,
            expires_at=token.expires_at.timestamp() if token.expires_at else None,
            everything=everything,
        )
        yield Change("caller", token.hash, token.organization_id, data if living else None)


def tokens_of(*, users: Iterable[int] = (), organizations: Iterable[str] = ()) -> set[str]:
    """Return the ids of the tokens of these people, and of these organizations."""
    rows = ApiToken.objects.filter(Q(user__in=users) | Q(organization__in=organizations))
    return set(rows.values_list("pk", flat=True))


def apis_of(stage_ids: Collection[str]) -> set[str]:
    """Return the ids of the APIs whose entry names one of these stages, or must name it."""
    now = Stage.objects.filter(pk__in=stage_ids).values_list("version__api", flat=True)
    former = Entry.objects.filter(kind="api", data__stages__has_any_keys=list(stage_ids))
    return set(now) | set(former.values_list("data__id", flat=True))


def apis(ids: Ids) -> Iterator[Change]:
    """Two changes for each API, by its id and by its slug; one without a deployed stage is gone."""
    rows = Api.objects.order_by("pk")
    stages = Stage.objects.filter(deployment__isnull=False).order_by("pk")
    if ids is not None:
        rows, stages = rows.filter(pk__in=ids), stages.filter(version__api__in=ids)
    named: dict[str, dict[str, list[str]]] = {}
    fields = ("pk", "name", "version", "version__name", "version__api")
    for stage, name, version, version_name, api in stages.values_list(*fields):
        named.setdefault(api, {})[stage] = [name, version, version_name]
    found = list(rows)
    for api in found:
        told = named.get(api.pk)
        data = shapes.Api(api.pk, api.slug, api.organization_id, told) if told else None
        for key in (api.pk, f"{shapes.SLUG_MARK}{api.slug}"):
            yield Change("api", key, api.organization_id, data)
    gone = set(ids or ()) - {api.pk for api in found}
    former = Entry.objects.filter(kind="api", data__id__in=gone) if gone else Entry.objects.none()
    for key in former.values_list("key", flat=True):
        yield Change("api", key, None, None)
