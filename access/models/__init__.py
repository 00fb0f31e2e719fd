"""Usage plans, the developers' applications, their subscriptions and their keys."""

from access.models.allowances import CallAllowance
from access.models.customers import CustomerSuspension
from access.models.keys import ApiKey, KeyEnvironment, KeyState
from access.models.plans import (
    CountersOnChange,
    PlanStage,
    PlanThrottle,
    PlanVisibility,
    QuotaPeriod,
    QuotaScope,
    UsagePlan,
)
from access.models.subscriptions import (
    Application,
    ApplicationState,
    PlanChange,
    Subscription,
    SubscriptionState,
)

__all__ = [
    "ApiKey",
    "Application",
    "ApplicationState",
    "CallAllowance",
    "CountersOnChange",
    "CustomerSuspension",
    "KeyEnvironment",
    "KeyState",
    "PlanChange",
    "PlanStage",
    "PlanThrottle",
    "PlanVisibility",
    "QuotaPeriod",
    "QuotaScope",
    "Subscription",
    "SubscriptionState",
    "UsagePlan",
]
