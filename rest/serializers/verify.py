"""Key verification: the verdict."""

from rest_framework import serializers

from access.verdicts import KeyVerdict

CODES = [(verdict.code, verdict.message) for verdict in KeyVerdict]


class VerifiedKey(serializers.Serializer):
    id = serializers.CharField()
    start = serializers.CharField(source="prefix", help_text="Its first characters.")
    name = serializers.CharField()
    environment = serializers.CharField()
    not_before = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    grace_until = serializers.DateTimeField(allow_null=True)
    replaced_by = serializers.CharField(source="replaced_by_id", allow_null=True)


class VerifiedApplication(serializers.Serializer):
    id = serializers.CharField()
    name = serializers.CharField()
    state = serializers.CharField()


class VerifiedAccount(serializers.Serializer):
    """The developer's organization."""

    id = serializers.CharField()
    name = serializers.CharField()
    state = serializers.CharField(help_text="active or suspended.")


class VerifiedSubscription(serializers.Serializer):
    id = serializers.CharField()
    state = serializers.CharField()
    plan = serializers.CharField(help_text="Id of the plan.")
    plan_name = serializers.CharField()
    started_at = serializers.DateTimeField()
    period_start = serializers.DateTimeField(
        allow_null=True, help_text="Of the running quota window; null without a quota."
    )
    period_end = serializers.DateTimeField(allow_null=True)


class VerifiedApi(serializers.Serializer):
    id = serializers.CharField()
    slug = serializers.CharField()
    version = serializers.CharField()
    version_id = serializers.CharField()
    stage = serializers.CharField()
    stage_id = serializers.CharField()
    lifecycle = serializers.CharField(help_text="draft, published, deprecated or retired.")
    sunset_at = serializers.DateTimeField(allow_null=True)


class VerifiedOperation(serializers.Serializer):
    """The operation that method and path reach."""

    id = serializers.CharField()
    method = serializers.CharField()
    path = serializers.CharField()
    key_required = serializers.BooleanField()


class LimitAccuracy(serializers.Serializer):
    mode = serializers.CharField(
        help_text="From a node: `node` (this node's bucket) and `leased` (this node's lease and what nobody holds). "
        "From the control plane: `per_node` (not known here) and `delayed` (as metered, seconds old)."
    )


class LimitSerializer(serializers.Serializer):
    """One limit of the plan. What is not known here is null: the buckets of a rate lie in the nodes."""

    name = serializers.CharField()
    kind = serializers.CharField(help_text="rate or quota.")
    metric = serializers.CharField()
    scope = serializers.CharField()
    limit = serializers.FloatField(help_text="Calls in a window.")
    burst = serializers.IntegerField(allow_null=True, help_text="Calls at once (a rate's).")
    used = serializers.IntegerField(allow_null=True)
    remaining = serializers.IntegerField(allow_null=True)
    window_s = serializers.IntegerField(help_text="Length of the window, seconds.")
    resets_at = serializers.DateTimeField(allow_null=True)
    reset_after_s = serializers.IntegerField(allow_null=True)
    exceeded = serializers.BooleanField()
    source = serializers.CharField(  # type: ignore[assignment]
        help_text="plan or stage."
    )
    accuracy = LimitAccuracy()


class CacheSerializer(serializers.Serializer):
    ttl_s = serializers.IntegerField(help_text="How long the verdict may be kept, seconds.")
    generation = serializers.IntegerField(help_text="The newest change of the configuration.")


class VerdictSerializer(serializers.Serializer):
    """The verdict. What judging did not reach is null."""

    valid = serializers.BooleanField()
    code = serializers.ChoiceField(choices=CODES)
    message = serializers.CharField()
    request_id = serializers.CharField()
    consumed = serializers.BooleanField(help_text="Whether a call was taken from the limits.")
    key = VerifiedKey(allow_null=True)
    application = VerifiedApplication(allow_null=True)
    account = VerifiedAccount(allow_null=True)
    subscription = VerifiedSubscription(allow_null=True)
    api = VerifiedApi(allow_null=True)
    operation = VerifiedOperation(allow_null=True)
    limits = LimitSerializer(many=True)
    binding_limit = serializers.CharField(
        allow_null=True,
        help_text="Name of the limit that ends first: exceeded, or with the smallest part left.",
    )
    cache = CacheSerializer()
