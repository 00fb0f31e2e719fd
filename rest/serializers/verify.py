"""Key verification: what is asked and the verdict."""

from rest_framework import serializers

from access.verdicts import KeyVerdict
from apis.models import LIVE
from rest.serializers.base import Strict

MODES = ("check", "consume", "reserve", "report")
CODES = [(verdict.code, verdict.message) for verdict in KeyVerdict]


class VerifyInput(Strict):
    """Which key, and for what. Without api, version and stage id only the key itself is judged."""

    key = serializers.CharField(
        max_length=512,
        allow_blank=True,
        trim_whitespace=False,
        style={"input_type": "password"},
        help_text="The text of the key, as the client sent it.",
    )
    api = serializers.CharField(
        required=False, max_length=60, help_text="Id or slug of an API that you provide."
    )
    version = serializers.CharField(
        required=False, max_length=40, help_text="Id or name; may be left out when the API has one version."
    )
    stage = serializers.CharField(max_length=128, default=LIVE, help_text="Id or name.")
    method = serializers.RegexField(
        r"^[A-Za-z]{1,20}\Z", required=False, help_text="With `path`: names the operation in the answer."
    )
    path = serializers.CharField(
        required=False, max_length=2000, help_text="Below the stage's address, such as /orders/7."
    )
    mode = serializers.CharField(
        default="check", max_length=20, help_text="`check` = nothing is consumed; the only one there is yet."
    )

    def validate_mode(self, mode: str) -> str:
        if mode == "check":
            return mode
        if mode in MODES:
            raise serializers.ValidationError(
                f"The mode {mode} is not offered here; use `check`, which consumes nothing.",
                code="not_offered",
            )
        raise serializers.ValidationError("Unknown mode; use `check`.", code="invalid_choice")

    def validate_path(self, path: str) -> str:
        if not path.startswith("/"):
            raise serializers.ValidationError("Begin the path with a slash.", code="invalid")
        return path


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
    period_start = serializers.DateTimeField(help_text="Of the running quota window.")
    period_end = serializers.DateTimeField()


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
        help_text="per_node: each gateway node has a bucket of its own; delayed: seconds old."
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
        help_text="plan."
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
    consumed = serializers.BooleanField(help_text="Always false in mode check.")
    key = VerifiedKey(allow_null=True)
    application = VerifiedApplication(allow_null=True)
    account = VerifiedAccount(allow_null=True)
    subscription = VerifiedSubscription(allow_null=True)
    api = VerifiedApi(allow_null=True)
    operation = VerifiedOperation(allow_null=True)
    limits = LimitSerializer(many=True)
    cache = CacheSerializer()
