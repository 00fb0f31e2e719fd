"""Key verification: what is asked."""

import ipaddress

from rest_framework import serializers

from apis.models import LIVE
from rest.serializers.base import Strict, StrictQuery

MODES = ("check", "consume")
OTHER_MODES = ("reserve", "report")


class _Stage(Strict):
    """Which stage a key is judged for."""

    api = serializers.CharField(
        required=False, max_length=60, help_text="Id or slug of an API that you provide."
    )
    version = serializers.CharField(
        required=False,
        max_length=40,
        help_text="Id, or with `api` also its name; may be left out when the API has one version.",
    )
    stage = serializers.CharField(
        max_length=128, default=LIVE, help_text="Id, or with `api` or `version` also its name."
    )
    mode = serializers.CharField(
        default="check",
        max_length=20,
        help_text="`check` takes nothing; `consume` takes one call from throttle and quota, all or nothing, "
        "and meters it like any other call.",
    )

    def validate_mode(self, mode: str) -> str:
        if mode in MODES:
            return mode
        if mode in OTHER_MODES:
            raise serializers.ValidationError(
                f"The mode {mode} is not offered; use `check` or `consume`.", code="not_offered"
            )
        raise serializers.ValidationError("Unknown mode; use `check` or `consume`.", code="invalid_choice")


class VerifyInput(_Stage):
    """Which key, and for what. Without api, version and stage id only the key itself is judged."""

    key = serializers.CharField(
        max_length=512,
        allow_blank=True,
        trim_whitespace=False,
        style={"input_type": "password"},
        help_text="The text of the key, as the client sent it.",
    )
    method = serializers.RegexField(
        r"^[A-Za-z]{1,20}\Z",
        required=False,
        help_text="With `path`: names the operation, whose throttle counts too.",
    )
    path = serializers.CharField(
        required=False, max_length=2000, help_text="Below the stage's address, such as /orders/7."
    )
    client_ip = serializers.CharField(
        required=False, max_length=45, help_text="Of the client; a key that is bound to networks needs it."
    )
    referrer = serializers.CharField(
        required=False,
        max_length=2000,
        help_text="The client's Referer or Origin; a key that is bound to pages needs it.",
    )

    def validate_path(self, path: str) -> str:
        if not path.startswith("/"):
            raise serializers.ValidationError("Begin the path with a slash.", code="invalid")
        return path

    def validate_client_ip(self, text: str) -> str:
        try:
            ipaddress.ip_address(text)
        except ValueError as error:
            raise serializers.ValidationError(
                "Enter a valid IPv4 or IPv6 address.", code="invalid"
            ) from error
        return text

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        if attrs["mode"] == "consume" and not names_a_stage(attrs):
            message = "Name the API (or version, or stage) whose limits the call consumes."
            raise serializers.ValidationError({"api": message}, code="required")
        return attrs


class AuthorizeQuery(StrictQuery, _Stage):
    """What a gateway asks for, in the query or in `X-Gatehouse-Api: {api}/{version}/{stage}?mode=…`."""

    mode = serializers.CharField(
        default="consume", max_length=20, help_text="`consume` (the default) or `check`, which takes nothing."
    )
    base_path = serializers.CharField(
        required=False, max_length=200, help_text="Under which your gateway serves the API; cut off the path."
    )
    as_ = serializers.ChoiceField(
        choices=("auth_request", "forward"),
        required=False,
        help_text="`auth_request`: other statuses than 200 and 401 become 403, the call is told by "
        "X-Original-Method and X-Original-URI. `forward` (the default): X-Forwarded-Method and X-Forwarded-Uri.",
    )

    def get_fields(self) -> dict[str, serializers.Field]:
        """`as` is a word of Python's."""
        fields = super().get_fields()
        fields["as"] = fields.pop("as_")
        return fields

    def validate(self, attrs: dict[str, str]) -> dict[str, str]:
        if not names_a_stage(attrs):
            message = "Name the API: ?api= or the header X-Gatehouse-Api."
            raise serializers.ValidationError({"api": message}, code="required")
        return attrs


def names_a_stage(asked: dict[str, str]) -> bool:
    """Say whether a stage is meant, or the key alone."""
    return "api" in asked or "version" in asked or asked["stage"] != LIVE
