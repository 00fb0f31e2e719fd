"""`price-overrides`."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import PriceOverride
from billing.overrides import end_override, give_override
from rest.filtersets import PriceOverrideFilters
from rest.permissions import Need
from rest.serializers.overrides import EndInput, PriceOverrideInput, PriceOverrideSerializer
from rest.views.base import Creatable, Listed, Made, Readable, Resource, act


class PriceOverrideViews(Listed, Readable, Creatable, Resource):
    """Discounts and own prices that the organization gave to customers. They are for the time to come."""

    model, noun, nouns, tag = PriceOverride, "price override", "price overrides", "rate-cards"
    serializer_class = PriceOverrideSerializer
    create_input = PriceOverrideInput
    related = ("customer",)
    action_inputs: ClassVar = {"end": EndInput}
    filterset_class = PriceOverrideFilters
    ordering_fields = ("starts_at", "created_at")
    search_fields = ("customer__name", "reason")
    read_need = Need.ADMINISTER
    write_need = Need.ADMINISTER

    def make(self, data: dict[str, Any]) -> Made:
        return give_override(actor=self.caller.user, **data)

    @act()
    def end(self, request: Request, pk: str) -> Response:
        """End it at a time to come. One that has not begun then never does."""
        override, data = self.target()
        return self.answer(end_override(override=override, at=data.get("at"), actor=self.caller.user))
