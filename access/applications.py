"""Developers' applications."""

from typing import Any

from django.db import transaction

from access.models import ApiKey, Application, ApplicationState, Subscription
from access.overlap import LIVING
from access.signals import keys_changed, subscriptions_changed
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.rows import assign, check_fields, locked, taken_is_refused


@transaction.atomic
def create_application(
    *, organization: Organization, name: str, actor: User | None, description: str = ""
) -> Application:
    """Make an application; its name is its own within the organization."""
    application = Application(organization=organization, name=name.strip(), description=description)
    check_fields(application)
    with taken_is_refused(f"There is an application named {application.name} already.", field="name"):
        application.save(force_insert=True)
    record(
        organization=organization,
        actor=actor,
        action="application.created",
        target=application,
        summary=f"Made the application {application}.",
    )
    return application


@transaction.atomic
def change_application(*, application: Application, actor: User | None, **fields: Any) -> Application:
    """Change `name` or `description`."""
    application = locked(application)
    changes = assign(application, fields, allowed=("name", "description"))
    if not changes:
        return application
    check_fields(application)
    with taken_is_refused(f"There is an application named {application.name} already.", field="name"):
        application.save(update_fields=changes)
    record(
        organization=application.organization,
        actor=actor,
        action="application.changed",
        target=application,
        summary=f"Changed {', '.join(changes)} of the application {application}.",
        changes=changes,
    )
    _announce_keys(application)
    return application


def suspend_application(*, application: Application, actor: User | None) -> Application:
    """Refuse every call of its keys until it is resumed."""
    return _move(application, actor, to=ApplicationState.SUSPENDED, verb="suspended")


def resume_application(*, application: Application, actor: User | None) -> Application:
    """Let the keys of a suspended application work again."""
    return _move(application, actor, to=ApplicationState.ACTIVE, verb="resumed")


@transaction.atomic
def _move(application: Application, actor: User | None, *, to: ApplicationState, verb: str) -> Application:
    application = locked(application)
    if application.state == to:
        raise Refused(f"{application} is {to.label.lower()} already.", code="wrong_state")
    changes = {"state": [application.state, to.value]}
    application.state = to
    application.save(update_fields=["state"])
    record(
        organization=application.organization,
        actor=actor,
        action=f"application.{verb}",
        target=application,
        summary=f"{verb.capitalize()} the application {application}.",
        changes=changes,
    )
    living = application.subscriptions.filter(state__in=LIVING).order_by("pk")
    subscriptions_changed.send(Subscription, subscription_ids=list(living.values_list("pk", flat=True)))
    _announce_keys(application)
    return application


def _announce_keys(application: Application) -> None:
    """A key's entry tells of its application."""
    if ids := list(application.keys.order_by("pk").values_list("pk", flat=True)):
        keys_changed.send(ApiKey, key_ids=ids)
