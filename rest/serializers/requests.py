"""The request log: what may be asked, and the answers."""

from typing import Any

from rest_framework import serializers

from accounts.models import Organization
from billing.call_cost import CallCost
from metering.models import RequestLine
from metering.request_log.search import OUTCOMES, PAGE
from metering.request_log.steps import State, outcome_of
from rest.serializers.base import StrictQuery, Visible
from rest.serializers.billing import Amount

LINE_FIELDS = (
    "id", "at", "method", "host", "path", "query", "status", "verdict", "why", "outcome", "api", "version", "stage",
    "operation", "developer", "application", "subscription", "key", "address", "latency_ms", "backend_ms", "connect_ms",
    "header_ms", "bytes_in", "bytes_out", "backend_statuses", "rate_limit_policy", "rate_limit", "flags",
)  # fmt: skip


class SideQuery(StrictQuery):
    """Whose calls."""

    side = serializers.ChoiceField(
        choices=["provider", "developer"],
        required=False,
        help_text="Calls to your APIs, or calls with your keys; default: provider if you have APIs.",
    )
    organization = Visible(
        Organization, required=False, help_text="Whose calls; default: the token's own organization."
    )


class RequestsQuery(SideQuery):
    """The query parameters of `GET requests`."""

    start = serializers.DateTimeField(
        required=False, help_text="Inclusive; default: as far back as lines are kept."
    )
    end = serializers.DateTimeField(required=False, help_text="Exclusive; default: now.")
    status = serializers.CharField(
        required=False, max_length=3, help_text="Such as 404, or a class such as 4xx."
    )
    outcome = serializers.ChoiceField(choices=list(OUTCOMES), required=False, help_text="How the call ended.")
    verdict = serializers.CharField(required=False, max_length=40, help_text="Such as THROTTLED.")
    method = serializers.CharField(required=False, max_length=20)
    path = serializers.CharField(required=False, max_length=200, help_text="A part of the path.")
    api = serializers.CharField(required=False, max_length=10, help_text="Id of an API.")
    stage = serializers.CharField(required=False, max_length=10, help_text="Id of a stage.")
    operation = serializers.CharField(required=False, max_length=10, help_text="Id of an operation.")
    application = serializers.CharField(required=False, max_length=10, help_text="Id of an application.")
    key = serializers.CharField(required=False, max_length=10, help_text="Id of a key (not its text).")
    before = serializers.CharField(required=False, max_length=60, help_text="`older` of the page before.")
    limit = serializers.IntegerField(min_value=1, max_value=500, default=PAGE)


class RequestLineSerializer(serializers.ModelSerializer):
    """One call. Times are milliseconds, null = not known; an empty id = none. Secrets in path and query are masked."""

    outcome = serializers.SerializerMethodField(help_text="answered, refused or failed")
    api = serializers.CharField(source="api_id")
    version = serializers.CharField(source="version_id")
    stage = serializers.CharField(source="stage_id")
    operation = serializers.CharField(source="operation_id")
    developer = serializers.CharField(source="developer_id")
    application = serializers.CharField(source="application_id")
    subscription = serializers.CharField(source="subscription_id")
    key = serializers.CharField(source="key_id")
    backend_statuses = serializers.CharField(source="tries")
    rate_limit_policy = serializers.CharField(source="limit_policy")
    rate_limit = serializers.CharField(source="limit_left")

    class Meta:
        model = RequestLine
        fields = LINE_FIELDS

    def get_outcome(self, line: RequestLine) -> str:
        return outcome_of(line)


class RequestsSerializer(serializers.Serializer):
    """A page, newest first."""

    results = RequestLineSerializer(source="lines", many=True)
    older = serializers.CharField(help_text="Give it as `before` for the next page; empty at the end.")
    looked_to = serializers.DateTimeField(
        allow_null=True,
        help_text="Set where the page ends because enough calls were looked at; `older` goes on from there.",
    )


class StepSerializer(serializers.Serializer):
    """One check of the gate, in its order."""

    name = serializers.CharField()
    state = serializers.ChoiceField(choices=[each.value for each in State])
    text = serializers.CharField()
    rule = serializers.CharField(help_text="The rule, as it is set now, and where.")


class TookSerializer(serializers.Serializer):
    name = serializers.CharField()
    ms = serializers.IntegerField()


class CostLineSerializer(serializers.Serializer):
    """One meter of the call."""

    meter = serializers.CharField()
    quantity = Amount()
    unit = serializers.CharField()
    unit_price = Amount()
    tier = serializers.CharField()
    included = serializers.BooleanField(help_text="Among the month's free units.")
    amount = Amount()


class CallCostSerializer(serializers.Serializer):
    """What the call comes to, at the tier that its month had come to. An estimate: bills price whole months."""

    currency = serializers.CharField()
    total = Amount()
    included = serializers.BooleanField()
    free_because = serializers.CharField()
    lines = CostLineSerializer(many=True)


class ExplanationSerializer(serializers.Serializer):
    """What happened to a call."""

    request = RequestLineSerializer(source="line")
    headline = serializers.CharField()
    outcome = serializers.CharField(source="state")
    steps = StepSerializer(many=True)
    times = TookSerializer(many=True)
    billable = serializers.BooleanField()
    not_billed_because = serializers.CharField()
    changed = serializers.DateTimeField(
        allow_null=True,
        help_text="When the stage's settings were changed after the call: rules may have been others.",
    )
    cost = serializers.SerializerMethodField(help_text="null: not billed, or your role does not show prices.")

    def get_cost(self, _told: Any) -> dict[str, Any] | None:
        cost: CallCost | None = self.context.get("cost")
        return CallCostSerializer(cost).data if cost else None
