"""Usage plans, the developers' applications, their subscriptions and their keys."""

# Django finds a room's models here
from access.announcements.models import Announcement, AnnouncementRecipient, NewsOptOut
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
    "Announcement",
    "AnnouncementRecipient",
    "ApiKey",
    "Application",
    "ApplicationState",
    "CallAllowance",
    "CountersOnChange",
    "CustomerSuspension",
    "KeyEnvironment",
    "KeyState",
    "NewsOptOut",
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
