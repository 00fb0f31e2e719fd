"""Quotes: which prices, how much of each meter, and what it comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from accounts.errors import Refused
from billing.currencies import DEFAULT_CURRENCY, check_currency
from billing.meters import BUILT_IN, check_meter
from billing.models import RateCard
from billing.pricing import MONEY_LIMIT, ZERO, check_bounds, make_tariff
from billing.queries import rate_cards_open_to
from billing.quote import Terms
from billing.terms import terms_of
from rest.caller import Caller
from rest.filters import near_match
from rest.serializers.base import Strict, Visible
from rest.serializers.billing import Amount, BillLineSerializer, PriceInput

MOST_SUBSCRIPTIONS = 1_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """The terms to quote by, and the id of the rate card that holds them (None = given inline)."""

    terms: Terms
    rate_card: str | None = None


def _refuse(refused: Refused) -> serializers.ValidationError:
    return serializers.ValidationError(
        {refused.field: [serializers.ErrorDetail(refused.message, refused.code)]}
    )


def _offered(caller: Caller) -> Any:
    if caller.everything:
        return caller.visible(RateCard)
    return rate_cards_open_to(caller.user, caller.organization)


class InlinePrice(PriceInput):
    """The price of one meter. One tier for `package`, `per_unit` and `flat`.

    `unit_price` is for each package in the models that count packages; a flat price is a `flat_fee`.
    """

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            meter = check_meter(attrs["meter"])
            tariff = make_tariff(
                attrs["model"], attrs["tiers"], attrs["free_units"], package_size=attrs.get("package_size")
            )
        except Refused as refused:
            raise _refuse(refused) from refused
        return {"meter": meter, "tariff": tariff}


class InlineCard(Strict):
    """A rate card that is not stored. Minimum and maximum bound the month's sum, base fees included."""

    currency = serializers.CharField(default=DEFAULT_CURRENCY, max_length=3)
    base_fee = Amount(default=ZERO, min_value=0, help_text="For each subscription and month.")
    minimum = Amount(default=None, allow_null=True, min_value=0)
    maximum = Amount(default=None, allow_null=True, min_value=0)
    prices = InlinePrice(many=True)

    def validate_prices(self, prices: list[dict[str, Any]]) -> list[dict[str, Any]]:
        meters = [price["meter"] for price in prices]
        if len(set(meters)) < len(meters):
            raise serializers.ValidationError("Give each meter once.", code="twice")
        return prices

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name in ("base_fee", "minimum", "maximum"):
            if (attrs[name] or ZERO) >= MONEY_LIMIT:
                raise serializers.ValidationError({name: f"Give less than {MONEY_LIMIT:,f}."}, "max_value")
        try:
            attrs["currency"] = check_currency(attrs["currency"])
            check_bounds(attrs["minimum"], attrs["maximum"])
        except Refused as refused:
            raise _refuse(refused) from refused
        return attrs

    def terms(self) -> Terms:
        """Return what was checked."""
        data = dict(self.validated_data)
        prices = data.pop("prices")
        return Terms(tariffs={price["meter"]: price["tariff"] for price in prices}, **data)


class CardOrId(serializers.Field):
    """A rate card: the id of one, or one inline."""

    default_error_messages: ClassVar = {"invalid": "Give the id of a rate card as text, or one as an object."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stored = Visible(RateCard, rows=_offered)
        self.stored.bind(field_name="", parent=self)  # type: ignore[arg-type]

    def to_internal_value(self, data: Any) -> Asked:
        if isinstance(data, str):
            card = self.stored.run_validation(data)
            return Asked(terms_of(card), card.pk)
        if not isinstance(data, Mapping):
            self.fail("invalid")
        inline = InlineCard(data=data, context=self.context)
        inline.is_valid(raise_exception=True)
        return Asked(inline.terms())


class CardOrIdSchema(OpenApiSerializerFieldExtension):
    """Either of the two."""

    target_class = CardOrId

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        inline = auto_schema.resolve_serializer(InlineCard, direction).ref
        stored = {
            "type": "string",
            "description": "Id of a rate card: your organization's, or one of a plan that you see.",
        }
        return {"oneOf": [stored, inline]}


class QuoteInput(Strict):
    """A rate card, and how much of each meter."""

    rate_card = CardOrId()
    quantities = serializers.DictField(
        child=Amount(min_value=0),
        help_text="Meter -> units of a month, as text: calls, GiB, hours, or a custom meter's. Add up what is "
        "rated together.",
    )
    subscriptions = serializers.IntegerField(
        default=1, min_value=1, max_value=MOST_SUBSCRIPTIONS, help_text="Each has the base fee."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        priced = attrs["rate_card"].terms.tariffs
        known = [*priced, *(meter for meter in BUILT_IN if meter not in priced)]
        errors = {
            meter: [
                serializers.ErrorDetail(
                    f"The rate card has no such meter.{near_match(meter, known)}", "unknown_meter"
                )
            ]
            for meter in attrs["quantities"]
            if meter not in known
        }
        if errors:
            raise serializers.ValidationError({"quantities": errors})
        return attrs


class QuoteLineSerializer(BillLineSerializer):
    """A line as an invoice would have it."""

    kind = serializers.CharField(help_text="usage, fee, minimum or maximum.")
    packages = Amount(
        allow_null=True, help_text="How many packages `unit_price` is for; null = it is by unit."
    )


class QuoteSerializer(serializers.Serializer):
    """What a month comes to, before tax."""

    rate_card = serializers.CharField(allow_null=True, help_text="Null = it was given inline.")
    currency = serializers.CharField()
    subscriptions = serializers.IntegerField()
    lines = QuoteLineSerializer(many=True)
    total = Amount()
