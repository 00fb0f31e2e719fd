"""An application reaches a stage by one living subscription only: it is clear which plan counts."""

from collections.abc import Sequence

from access.models import Application, PlanStage, Subscription, SubscriptionState, UsagePlan
from accounts.errors import Refused
from apis.models import Stage

LIVING = (SubscriptionState.PENDING, SubscriptionState.ACTIVE, SubscriptionState.SUSPENDED)


def refuse_second_subscription(
    application: Application, plan: UsagePlan, *, instead_of: Subscription | None = None
) -> None:
    """Raise Refused if the application already has a living subscription to a stage of the plan.

    `instead_of` is the one that would change to the plan; it does not count.

    The caller holds the locks of the application and the plan.
    """
    living = Subscription.objects.filter(application=application, state__in=LIVING)
    if instead_of is not None:
        living = living.exclude(pk=instead_of.pk)
    for subscription in living.select_related("plan"):
        if subscription.plan_id == plan.pk:
            raise Refused(f"{application} is on {plan} already.", field="plan", code="taken")
    # locked, so that none of these plans gets one of our stages at the same moment
    held = UsagePlan.objects.select_for_update().filter(subscriptions__in=living).order_by("pk")
    for other in held:
        shared = Stage.objects.filter(usage_plans=plan).filter(usage_plans=other)
        stage = shared.select_related("version__api").first()
        if stage is not None:
            raise Refused(
                f"{application} reaches {stage} by the plan {other} already. "
                f"Cancel that subscription first, or use another application.",
                field="plan",
                code="overlap",
            )


def refuse_overlap_of_subscribers(plan: UsagePlan, added: Sequence[Stage]) -> None:
    """Raise Refused if a subscriber of the plan reaches one of the added stages by another plan."""
    holders = Subscription.objects.filter(plan=plan, state__in=LIVING).values("application")
    clash = (
        PlanStage.objects.filter(
            stage__in=added,
            plan__subscriptions__application__in=holders,
            plan__subscriptions__state__in=LIVING,
        )
        .exclude(plan=plan)
        .select_related("plan", "stage__version__api")
        .first()
    )
    if clash is not None:
        raise Refused(
            f"A subscriber of {plan} reaches {clash.stage} by the plan {clash.plan} already. "
            "Make a new plan for it, or take the stage out of that one.",
            field="stages",
            code="overlap",
        )
