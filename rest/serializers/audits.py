"""An invoice recomputed."""

from rest_framework import serializers

from rest.serializers.billing import Amount


class QuantityAndAmountSerializer(serializers.Serializer):
    """Units (or months of a fee) and money."""

    quantity = Amount()
    amount = Amount()


class AuditLineSerializer(serializers.Serializer):
    """A line as it is on the invoice, and as the records and prices make it."""

    month = serializers.CharField(help_text="Such as 2026-10: an earlier one for late counts.")
    item = serializers.CharField()
    description = serializers.CharField()
    billed = QuantityAndAmountSerializer()
    recomputed = QuantityAndAmountSerializer()
    ok = serializers.BooleanField()


class AuditFindingSerializer(serializers.Serializer):
    """A record or a seal that is not as it was when it was sealed."""

    kind = serializers.CharField(
        help_text="changed, missing, added or unsealed: a record; minutes: those of an hour do not add up to it; "
        "broken, unlinked, gap or head: a seal."
    )
    text = serializers.CharField()
    record = serializers.DictField(child=serializers.CharField(allow_blank=True))


class AuditSerializer(serializers.Serializer):
    """`ok` = every line agrees, and nothing was found."""

    ok = serializers.BooleanField()
    lines = AuditLineSerializer(many=True)
    findings = AuditFindingSerializer(many=True)
    remarks = serializers.ListField(child=serializers.CharField())
    records = serializers.IntegerField(help_text="Hour records that were looked at.")
    seals = serializers.IntegerField(help_text="Seals that were looked at.")
