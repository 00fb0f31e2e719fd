"""From a document to a live API in one transaction: all of it is made, or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from access.models import UsagePlan
from access.plans import change_plan, create_plan
from accounts.errors import Refused
from accounts.models import Organization, User
from apis.backends import clean_url, create_backend
from apis.models import LIVE, Api, ApiVersion, Backend, Stage
from apis.openapi import Document
from apis.publish import deploy
from apis.versions import create_api, create_version


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was filled in. `plan` is None, a plan that is there, or the fields of a new one."""

    document: Document
    version: str
    name: str = ""
    summary: str = ""
    visibility: str = ""
    api: Api | None = None
    key_required: bool = True
    backend: Backend | None = None
    backend_url: str = ""
    plan: UsagePlan | dict[str, Any] | None = None


@transaction.atomic
def register(*, organization: Organization, wanted: Wanted, actor: User) -> ApiVersion:
    """Make API (unless it is there), backend, version, live stage and plan. Refused: at the form's field."""
    with at_fields(name="name", slug="name"):
        api = wanted.api or create_api(
            organization=organization,
            name=wanted.name,
            summary=wanted.summary,
            visibility=wanted.visibility,
            actor=actor,
        )
    with at_fields(url="backend_url", name="backend_url"):
        backend = wanted.backend or _backend(organization, api, wanted.backend_url, actor)
    with at_fields(name="version", document="text", backend="backend_url"):
        version = create_version(
            api=api,
            name=wanted.version,
            document=wanted.document,
            backend=backend,
            key_required=wanted.key_required,
            actor=actor,
        )
        deploy(version=version, note="First deployment", actor=actor)
    with at_fields(throttle_rate="plan_rate", throttle_burst="plan_burst", quota_limit="plan_quota"):
        _plan(organization, wanted.plan, version.stages.get(name=LIVE), actor)
    return version


@contextmanager
def at_fields(**names: str) -> Iterator[None]:
    """Let refusals name the form's fields instead of the verb's."""
    try:
        yield
    except Refused as refused:
        field = names.get(refused.field, refused.field)
        raise Refused(refused.message, field=field, code=refused.code) from refused


def _backend(organization: Organization, api: Api, url: str, actor: User) -> Backend | None:
    """The organization's backend with this URL, or a new one that is named for its host; '' = none."""
    if not url.strip():
        return None
    cleaned = clean_url(url)
    known = Backend.objects.filter(organization=organization, url=cleaned).first()
    if known:
        return known
    name = f"{api.name[:40]} ({urlsplit(cleaned).netloc[:30]})"
    taken = set(Backend.objects.filter(organization=organization).values_list("name", flat=True))
    names = (name if number == 1 else f"{name} {number}" for number in range(1, len(taken) + 2))
    free = next(each for each in names if each not in taken)
    return create_backend(organization=organization, name=free, url=cleaned, actor=actor)


def _plan(
    organization: Organization, wanted: UsagePlan | dict[str, Any] | None, stage: Stage, actor: User
) -> None:
    if isinstance(wanted, UsagePlan):
        with at_fields(stages="plan"):
            change_plan(plan=wanted, stages=[*wanted.stages.all(), stage], actor=actor)
    elif wanted:
        with at_fields(name="plan_name"):
            create_plan(organization=organization, stages=[stage], actor=actor, **wanted)
