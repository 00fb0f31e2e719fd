"""What keys/verify tells beside its verdict: the `about` of entries, kept small.

A node holds every key, so names are short and what is usual is left out: a state that is absent is `active`.

| entry        | about                                                                                       |
|--------------|---------------------------------------------------------------------------------------------|
| stage        | `slug`, `version` (name), `lifecycle`                                                       |
| plan         | `name`                                                                                      |
| subscription | `started` (Unix seconds), `state` (pending, suspended)                                      |
| key          | `name`, `start` (first characters), `application` and `account` ({id, name, state}),        |
|              | `providers` (organizations that may know of it), `state` (disabled, revoked), `successor`   |
"""

from typing import Any

from access.models import ApiKey, ApplicationState, KeyState, Subscription, SubscriptionState, UsagePlan
from apis.models import Stage

Told = dict[str, Any]


def of_stage(stage: Stage) -> Told:
    """Load the version and its API with it."""
    version = stage.version
    return {"slug": version.api.slug, "version": version.name, "lifecycle": version.state}


def of_plan(plan: UsagePlan) -> Told:
    return {"name": plan.name}


def of_subscription(subscription: Subscription) -> Told:
    state = subscription.state
    return {"started": subscription.started_at.timestamp()} | _unusual(state, SubscriptionState.ACTIVE)


def of_key(key: ApiKey, providers: set[str]) -> Told:
    """Load the application and the organization with it. `providers`: whose plans the application is or was on."""
    application, account = key.application, key.organization
    told: Told = {
        "name": key.name,
        "start": key.prefix,
        "application": {"id": application.pk, "name": application.name}
        | _unusual(application.state, ApplicationState.ACTIVE),
        "account": {"id": account.pk, "name": account.name}
        | _unusual("suspended" if account.suspended_at else "active", "active"),
        "providers": sorted(providers),
    } | _unusual(key.state, KeyState.ACTIVE)
    return told if key.replaced_by_id is None else told | {"successor": key.replaced_by_id}


def _unusual(state: str, usual: str) -> Told:
    return {} if state == usual else {"state": str(state)}
