"""An application's place on a plan, from the request to the end."""

from access.models import ApiKey, Application, Subscription, UsagePlan
from accounts.models import Organization, User


def subscribe(*, application: Application, plan: UsagePlan, actor: User | None) -> Subscription:
    """Put the application on the plan: active at once, or pending if the plan requires approval."""
    raise NotImplementedError


def sign_up_for_plan(
    *, organization: Organization, application_name: str, plan: UsagePlan, actor: User | None
) -> tuple[Subscription, ApiKey, str]:
    """Make application, subscription and first key in one transaction; the text of the key is shown once."""
    raise NotImplementedError


def approve(*, subscription: Subscription, actor: User | None) -> Subscription:
    """pending -> active"""
    raise NotImplementedError


def suspend(*, subscription: Subscription, actor: User | None) -> Subscription:
    """active -> suspended"""
    raise NotImplementedError


def resume(*, subscription: Subscription, actor: User | None) -> Subscription:
    """suspended -> active"""
    raise NotImplementedError


def cancel(*, subscription: Subscription, actor: User | None) -> Subscription:
    """pending, active or suspended -> cancelled, for good; sets `ended_at`."""
    raise NotImplementedError
