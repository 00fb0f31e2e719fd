"""`usage-plans`, `applications`, `subscriptions`, `keys`."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Prefetch, QuerySet
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from access import answers, applications, change_plan, keys, plan_throttles, plans, subscribe
from access.models import ApiKey, Application, PlanThrottle, Subscription, UsagePlan
from apis.models import Stage
from billing.rate_cards import price_plan
from nodes.remaining import set_remaining
from rest.filtersets import (
    ApplicationFilters,
    KeyFilters,
    PlanFilters,
    PlanThrottleFilters,
    SubscriptionFilters,
)
from rest.permissions import Need, require
from rest.serializers.access import (
    ApplicationChange,
    ApplicationInput,
    ApplicationSerializer,
    CancelInput,
    ChangePlanInput,
    KeyChange,
    KeyInput,
    KeySerializer,
    MadeKeySerializer,
    PlanChange,
    PlanInput,
    PlanSerializer,
    PlanThrottleChange,
    PlanThrottleInput,
    PlanThrottleSerializer,
    RefuseInput,
    RemainingInput,
    RotateInput,
    SubscriptionInput,
    SubscriptionSerializer,
)
from rest.serializers.base import Nothing
from rest.views.base import Changeable, Creatable, Listed, Made, Readable, Removable, Resource, act


class PlanViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Usage plans of a provider. A change holds at once and touches no counter."""

    model, noun, nouns, tag = UsagePlan, "usage plan", "usage plans", "usage-plans"
    serializer_class = PlanSerializer
    related = ("price",)
    create_input, change_input = PlanInput, PlanChange
    action_inputs: ClassVar = {"archive": Nothing}
    filterset_class = PlanFilters
    ordering_fields = ("position", "name", "created_at")
    search_fields = ("name", "description")

    def get_queryset(self) -> QuerySet[Any]:
        stages = Stage.objects.select_related("version__api").order_by("id").defer("version__document")
        throttles = PlanThrottle.objects.select_related("operation")
        return (
            super()
            .get_queryset()
            .prefetch_related(Prefetch("stages", stages), Prefetch("operation_throttles", throttles))
        )

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        card = self._card(data)
        plan = plans.create_plan(organization=organization, actor=self.caller.user, **data)
        if card:
            price_plan(plan=plan, actor=self.caller.user, **card)
        return plan

    def change(self, row: UsagePlan, data: dict[str, Any]) -> None:
        card = self._card(data)
        if data:
            plans.change_plan(plan=row, actor=self.caller.user, **data)
        if card:
            price_plan(plan=row, actor=self.caller.user, **card)

    def remove(self, row: UsagePlan) -> None:
        plans.delete_plan(plan=row, actor=self.caller.user)

    @act()
    def archive(self, request: Request, pk: str) -> Response:
        """Take the plan off the website: no new subscriptions; those that run, run on."""
        plan, _ = self.target()
        return self.answer(plans.archive_plan(plan=plan, actor=self.caller.user))

    def _card(self, data: dict[str, Any]) -> dict[str, Any]:
        """Take the price out of the input; prices are for those who administer."""
        if "rate_card" not in data:
            return {}
        require(self.request, Need.ADMINISTER)
        return {"rate_card": data.pop("rate_card")}


class PlanThrottleViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Limits of plans for single operations; to set one that is there already replaces it.

    AWS writes them `/path/METHOD`, and `*/*` for all operations of a stage (here: no operation).
    """

    model, noun, nouns, tag = PlanThrottle, "plan throttle", "plan throttles", "usage-plans"
    serializer_class = PlanThrottleSerializer
    create_input, change_input = PlanThrottleInput, PlanThrottleChange
    filterset_class = PlanThrottleFilters
    ordering_fields = ("rate",)

    def make(self, data: dict[str, Any]) -> Made:
        operation = data.pop("operation", None)
        return plan_throttles.set_plan_throttle(operation=operation, actor=self.caller.user, **data)

    def change(self, row: PlanThrottle, data: dict[str, Any]) -> None:
        wanted = {"rate": row.rate, "burst": row.burst} | data
        plan_throttles.set_plan_throttle(
            plan=row.plan, stage=row.stage, operation=row.operation, actor=self.caller.user, **wanted
        )

    def remove(self, row: PlanThrottle) -> None:
        plan_throttles.remove_plan_throttle(throttle=row, actor=self.caller.user)


class ApplicationViews(Listed, Readable, Creatable, Changeable, Resource):
    """Developers' programs. Each holds subscriptions and keys."""

    model, noun, nouns, tag = Application, "application", "applications", "applications"
    serializer_class = ApplicationSerializer
    create_input, change_input = ApplicationInput, ApplicationChange
    action_inputs: ClassVar = {"suspend": Nothing, "resume": Nothing}
    filterset_class = ApplicationFilters
    ordering_fields = ("name", "created_at")
    search_fields = ("name", "description")

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        return applications.create_application(organization=organization, actor=self.caller.user, **data)

    def change(self, row: Application, data: dict[str, Any]) -> None:
        applications.change_application(application=row, actor=self.caller.user, **data)

    @act()
    def suspend(self, request: Request, pk: str) -> Response:
        """Refuse every call of its keys until it is resumed."""
        return self._run(applications.suspend_application)

    @act()
    def resume(self, request: Request, pk: str) -> Response:
        """Let its keys in again."""
        return self._run(applications.resume_application)

    def _run(self, verb: Callable[..., Application]) -> Response:
        application, _ = self.target()
        return self.answer(verb(application=application, actor=self.caller.user))


class SubscriptionViews(Listed, Readable, Creatable, Resource):
    """Applications' places on plans: yours as a developer, and those to your plans as a provider."""

    model, noun, nouns, tag = Subscription, "subscription", "subscriptions", "subscriptions"
    serializer_class = SubscriptionSerializer
    related = ("application", "plan", "organization")
    create_input = SubscriptionInput
    action_inputs: ClassVar = {
        **dict.fromkeys(("approve", "suspend", "resume", "approve_change", "cancel_change"), Nothing),
        "refuse": RefuseInput,
        "cancel": CancelInput,
        "change_plan": ChangePlanInput,
        "set_remaining": RemainingInput,
    }
    filterset_class = SubscriptionFilters
    ordering_fields = ("started_at", "state")
    search_fields = ("application__name", "plan__name", "organization__name")

    def make(self, data: dict[str, Any]) -> Made:
        return subscribe.subscribe(actor=self.caller.user, **data)

    @act()
    def approve(self, request: Request, pk: str) -> Response:
        """Let a waiting subscription in (the provider)."""
        return self._run(subscribe.approve, provider_only=True)

    @act()
    def refuse(self, request: Request, pk: str) -> Response:
        """Decline what waits, a new subscription or a change of plan, and tell who asked why (the provider)."""
        subscription, data = self.target()
        self._require_provider(subscription)
        return self.answer(answers.refuse_request(subscription=subscription, actor=self.caller.user, **data))

    @act()
    def suspend(self, request: Request, pk: str) -> Response:
        """Refuse its calls until it is resumed (the provider)."""
        return self._run(subscribe.suspend, provider_only=True)

    @act()
    def resume(self, request: Request, pk: str) -> Response:
        """Let its calls in again (the provider)."""
        return self._run(subscribe.resume, provider_only=True)

    @act()
    def cancel(self, request: Request, pk: str) -> Response:
        """End it for good, now or when the month ends (the developer or the provider)."""
        subscription, data = self.target()
        return self.answer(subscribe.cancel(subscription=subscription, actor=self.caller.user, **data))

    @act()
    def change_plan(self, request: Request, pk: str) -> Response:
        """Move it to another plan, now or when the month ends (the developer); id, keys and counters stay.

        A plan that requires approval makes the change wait (`next_plan_waits`). A change that was planned before is
        replaced.
        """
        subscription, data = self.target()
        if not self.caller.develops(subscription.organization_id):
            raise PermissionDenied("Only the developer whose subscription it is may do this.")
        return self.answer(change_plan.change_plan(subscription=subscription, actor=self.caller.user, **data))

    @act()
    def approve_change(self, request: Request, pk: str) -> Response:
        """Let a change of plan that waits happen (the provider)."""
        return self._run(change_plan.approve_change, provider_only=True)

    @act()
    def cancel_change(self, request: Request, pk: str) -> Response:
        """Take back what is planned: a change of plan, or the end (the developer or the provider)."""
        return self._run(change_plan.cancel_change, provider_only=False)

    @act()
    def set_remaining(self, request: Request, pk: str) -> Response:
        """Let exactly so many further calls in during the running period, over all nodes (the provider)."""
        subscription = self.get_object()
        self._require_provider(subscription)
        set_remaining(subscription=subscription, actor=self.caller.user, **self.read_input())
        return self.answer(subscription)

    def _require_provider(self, subscription: Subscription) -> None:
        if not self.caller.provides(subscription.provider_id):
            raise PermissionDenied("Only the provider of the plan may do this.")

    def _run(self, verb: Callable[..., Subscription], *, provider_only: bool) -> Response:
        subscription, _ = self.target()
        if provider_only:
            self._require_provider(subscription)
        return self.answer(verb(subscription=subscription, actor=self.caller.user))


class KeyViews(Listed, Readable, Creatable, Changeable, Removable, Resource):
    """Credentials of applications. The text of a key is shown once; DELETE revokes it and keeps its row."""

    model, noun, nouns, tag = ApiKey, "key", "keys", "keys"
    serializer_class = KeySerializer
    create_input, change_input = KeyInput, KeyChange
    action_inputs: ClassVar = {
        "revoke": Nothing,
        "disable": Nothing,
        "enable": Nothing,
        "rotate": RotateInput,
    }
    action_outputs: ClassVar = {"create": MadeKeySerializer, "rotate": MadeKeySerializer}
    filterset_class = KeyFilters
    ordering_fields = ("name", "created_at", "last_used_at", "expires_at")
    search_fields = ("name", "prefix")

    def make(self, data: dict[str, Any]) -> Made:
        key, text = keys.create_key(actor=self.caller.user, **data)
        return key, {"key": text}

    def change(self, row: ApiKey, data: dict[str, Any]) -> None:
        keys.change_key(key=row, actor=self.caller.user, **data)

    def remove(self, row: ApiKey) -> None:
        keys.revoke_key(key=row, actor=self.caller.user)

    @act()
    def revoke(self, request: Request, pk: str) -> Response:
        """End the key for good; every node refuses it within a second."""
        return self._run(keys.revoke_key)

    @act()
    def disable(self, request: Request, pk: str) -> Response:
        """Refuse the key until it is enabled."""
        return self._run(keys.disable_key)

    @act()
    def enable(self, request: Request, pk: str) -> Response:
        """Let a disabled key in again."""
        return self._run(keys.enable_key)

    @act()
    def rotate(self, request: Request, pk: str) -> Response:
        """Make a successor, shown this once; the old key works on for `grace_seconds` at most.

        Answers with the new key.
        """
        key, data = self.target()
        successor, text = keys.rotate_key(key=key, actor=self.caller.user, **data)
        return self.answer(successor, status=201, key=text)

    def _run(self, verb: Callable[..., ApiKey]) -> Response:
        key, _ = self.target()
        return self.answer(verb(key=key, actor=self.caller.user))
