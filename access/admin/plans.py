"""Usage plans: their limits and the stages they open."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from access.limits import notes_on
from access.models import PlanThrottle, UsagePlan
from access.overlap import LIVING
from access.plan_throttles import remove_plan_throttle, set_plan_throttle
from access.plans import CHANGEABLE, archive_plan, change_plan, create_plan, delete_plan
from accounts.errors import Refused
from accounts.verb_admin import VerbAdmin, person
from apis.models import Stage


class PlanForm(forms.ModelForm):
    # not named `stages`: the admin's checks refuse a many-to-many field with a model of its own
    opens = forms.ModelMultipleChoiceField(
        Stage.objects.select_related("version__api").order_by("version__api__name", "version__name", "name"),
        required=False,
        widget=UnfoldAdminSelect2MultipleWidget,
        help_text="What the plan opens; stages of its own organization.",
    )

    class Meta:
        model = UsagePlan
        fields = ("organization", *CHANGEABLE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # a new row has its short id already, so the key does not tell
        if not self.instance._state.adding and "opens" in self.fields:
            field = self.fields["opens"]
            assert isinstance(field, forms.ModelMultipleChoiceField)
            field.queryset = Stage.objects.select_related("version__api").filter(
                organization=self.instance.organization_id
            )
            self.initial["opens"] = list(self.instance.stages.all())

    def _get_validation_exclusions(self) -> set[str]:
        """Leave the throttle's constraint to the verb, which names the field."""
        return super()._get_validation_exclusions() | {"throttle_rate", "throttle_burst"}  # type: ignore[misc]


class PlanThrottleInline(TabularInline):
    """Limits of the plan for single operations; an empty operation means all that have none of their own."""

    model = PlanThrottle
    fields = ("stage", "operation", "rate", "burst")
    autocomplete_fields = ("stage", "operation")
    extra = 0
    verbose_name_plural = "throttles of operations"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PlanThrottle]:
        rows = super().get_queryset(request)
        return rows.select_related("operation", "stage__version__api", "plan")


@admin.register(UsagePlan)
class UsagePlanAdmin(VerbAdmin):
    form = PlanForm
    list_display = (
        "name",
        "organization",
        "visibility",
        "requires_approval",
        "shown_throttle",
        "shown_quota",
        "shown_subscriptions",
    )
    list_filter = ("visibility", "requires_approval", ("organization", AutocompleteSelectFilter))
    list_filter_submit = True
    list_select_related = ("organization",)
    search_fields = ("name", "id", "organization__name", "stages__version__api__name")
    autocomplete_fields = ("organization",)
    actions = ("archive",)
    inlines = (PlanThrottleInline,)
    fieldsets = (
        (None, {"fields": ("organization", "name", "description", "opens")}),
        ("Throttle", {"fields": (("throttle_rate", "throttle_burst"),)}),
        (
            "Quota",
            {
                "fields": (
                    ("quota_limit", "quota_period"),
                    ("quota_scope", "quota_offset"),
                    "quota_offline_allowance",
                    "counters_on_change",
                )
            },
        ),
        ("Request log", {"fields": ("request_log",)}),
        ("Website", {"fields": ("visibility", "requires_approval", "position")}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: UsagePlan | None = None) -> tuple[str, ...]:
        return ("organization",) if obj else ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[UsagePlan]:
        living = Count("subscriptions", filter=Q(subscriptions__state__in=LIVING), distinct=True)
        return super().get_queryset(request).annotate(living_count=living)

    @display(description="Throttle")
    def shown_throttle(self, plan: UsagePlan) -> str:
        if plan.throttle_rate is None:
            return "none"
        return f"{plan.throttle_rate:g}/s, burst {plan.throttle_burst}"

    @display(description="Quota")
    def shown_quota(self, plan: UsagePlan) -> str:
        if plan.quota_limit is None:
            return "none"
        return f"{plan.quota_limit:,} {plan.get_quota_period_display()}"

    @display(description="Subscriptions", ordering="living_count")
    def shown_subscriptions(self, plan: Any) -> int:
        return plan.living_count

    def create(self, request: HttpRequest, data: dict[str, Any]) -> UsagePlan:
        with _named_as_here():
            return create_plan(**_verb_fields(data), actor=person(request))

    def change(self, request: HttpRequest, row: UsagePlan, data: dict[str, Any]) -> None:
        with _named_as_here():
            change_plan(plan=row, actor=person(request), **_verb_fields(data))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Removals first: an operation's limit may have moved to another line."""
        formset.save(commit=False)
        actor = person(request)
        for gone in formset.deleted_objects:
            remove_plan_throttle(throttle=PlanThrottle.objects.get(pk=gone.pk), actor=actor)
        for row, _ in formset.changed_objects:
            remove_plan_throttle(throttle=PlanThrottle.objects.get(pk=row.pk), actor=actor)
        for row in [*formset.new_objects, *(row for row, _ in formset.changed_objects)]:
            set_plan_throttle(
                plan=UsagePlan.objects.get(pk=form.instance.pk),
                stage=row.stage,
                operation=row.operation,
                rate=row.rate,
                burst=row.burst,
                actor=actor,
            )
        self._tell_notes(request, form.instance.pk)

    def _tell_notes(self, request: HttpRequest, plan_id: str) -> None:
        rows = UsagePlan.objects.prefetch_related("stages__version__api", "operation_throttles__operation")
        for note in notes_on(rows.get(pk=plan_id)):
            messages.warning(request, note)

    def remove(self, request: HttpRequest, row: UsagePlan) -> None:
        delete_plan(plan=row, actor=person(request))

    @action(description="Archive: no new subscriptions", permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[UsagePlan]) -> None:
        actor = person(request)
        self.each(request, queryset, lambda row: archive_plan(plan=row, actor=actor), "Archived")


def _verb_fields(data: dict[str, Any]) -> dict[str, Any]:
    """Give the form's fields the names that the verbs use."""
    return {("stages" if name == "opens" else name): value for name, value in data.items()}


@contextmanager
def _named_as_here() -> Iterator[None]:
    """Let a refusal name the form's field."""
    try:
        yield
    except Refused as refused:
        if refused.field == "stages":
            refused.field = "opens"
        raise
