"""`meters`, `meter-events`, `billable-rules`."""

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.errors import Refused
from metering import billable_rules, events, meters
from metering.models import BillableRule, CustomMeter
from rest.filtersets import BillableRuleFilters, MeterFilters
from rest.parsers import JsonParser
from rest.permissions import Need
from rest.serializers.base import Nothing
from rest.serializers.meters import (
    BillableRuleInput,
    BillableRuleSerializer,
    CustomMeterSerializer,
    MeterChange,
    MeterEventInput,
    MeterInput,
    TakenSerializer,
)
from rest.views.base import (
    Changeable,
    Creatable,
    Guarded,
    Listed,
    Made,
    Readable,
    Removable,
    Resource,
    act,
)

ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"
# attributes of an event in binary mode, as `ce-` headers
_HEADERS = ("specversion", "id", "source", "type", "subject", "time")


class MeterViews(Listed, Readable, Creatable, Changeable, Resource):
    """What a provider counts itself and reports by events."""

    model, noun, nouns, tag = CustomMeter, "meter", "meters", "meters"
    serializer_class = CustomMeterSerializer
    create_input, change_input = MeterInput, MeterChange
    action_inputs: ClassVar = {"archive": Nothing}
    filterset_class = MeterFilters
    ordering_fields = ("code", "name", "created_at")
    search_fields = ("code", "name")
    write_need = Need.ADMINISTER

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        return meters.create_meter(organization=organization, actor=self.caller.user, **data)

    def change(self, row: CustomMeter, data: dict[str, Any]) -> None:
        meters.change_meter(meter=row, actor=self.caller.user, **data)

    @act()
    def archive(self, request: Request, pk: str) -> Response:
        """Take no more events of a meter. What was counted stays."""
        row, _ = self.target()
        return self.answer(meters.archive_meter(meter=row, actor=self.caller.user))


class BillableRuleViews(Listed, Readable, Creatable, Removable, Resource):
    """Which calls are billed, by verdict and status class. Without a rule those that reached the backend are."""

    model, noun, nouns, tag = BillableRule, "billable rule", "billable rules", "meters"
    serializer_class = BillableRuleSerializer
    create_input = BillableRuleInput
    filterset_class = BillableRuleFilters
    ordering_fields = ("effective_from", "created_at")
    write_need = Need.ADMINISTER

    def make(self, data: dict[str, Any]) -> Made:
        organization = data.pop("organization", self.caller.organization)
        return billable_rules.set_billable(organization=organization, actor=self.caller.user, **data)

    def remove(self, row: BillableRule) -> None:
        billable_rules.withdraw_billable(rule=row, actor=self.caller.user)


class OneEvent(JsonParser):
    media_type = ONE


class ManyEvents(JsonParser):
    media_type = MANY


class MeterEventsView(Guarded):
    """Where events come in, in the form of CloudEvents."""

    tag = "meters"
    http_method_names = ["post"]
    parser_classes = (JsonParser, OneEvent, ManyEvents)

    def input_class(self) -> type[MeterEventInput]:
        """Return what the schema describes."""
        return MeterEventInput

    @extend_schema(
        operation_id="meter_events_take",
        request={
            "application/json": MeterEventInput,
            ONE: MeterEventInput,
            MANY: MeterEventInput(many=True),
        },
        responses={201: TakenSerializer, 200: TakenSerializer},
    )
    def post(self, request: Request) -> Response:
        """Count events of your meters. All of a request count or none; 200 = all were counted before.

        One as `application/cloudevents+json` (or `application/json`), up to 1,000 as
        `application/cloudevents-batch+json`, or one in binary mode: `ce-…` headers, and its data as JSON body.
        """
        many = request.content_type.split(";")[0].strip() == MANY
        given = request.data if many else [_single(request.data, request.headers)]
        if not isinstance(given, list):
            raise ValidationError("A batch is a list of events.", code="not_a_list")
        if len(given) > events.MOST_EVENTS:
            raise Refused(f"Send at most {events.MOST_EVENTS:,} events at once.", field="events")
        reader = MeterEventInput(data=given, many=True)
        if not reader.is_valid():
            found = reader.errors
            places = found.items() if isinstance(found, dict) else enumerate(found)
            raise ValidationError({f"events[{place}]": each for place, each in places if each})
        shape = MeterEventInput()
        taken = [shape.to_event(each) for each in reader.validated_data]
        new = events.take_events(organization=self.caller.organization, events=taken)
        answer = {
            "accepted": new.count(True),
            "repeated": new.count(False),
            "results": ["accepted" if each else "repeated" for each in new],
        }
        return Response(TakenSerializer(answer).data, status=201 if any(new) else 200)


def _single(body: Any, headers: Mapping[str, str]) -> Any:
    """Return one event, put together from its headers in binary mode."""
    if "ce-id" not in headers:
        return body
    found = {name: headers[f"ce-{name}"] for name in _HEADERS if f"ce-{name}" in headers}
    return found | {"data": body}
