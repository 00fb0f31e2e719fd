"""Forms for policies: a field for each value, so that nobody needs to write JSON."""

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apis.policy import FIELDS
from apis.policy.cache import DEFAULT_TTL, INVALIDATIONS
from apis.policy.policy import RETRY_ON

NAMES = {
    "throttle": "Throttle",
    "cache": "Cache",
    "cors": "CORS",
    "ip": "Addresses",
    "retries": "Retries",
    "timeout_ms": "Time-out",
    "max_body": "Body limit",
}
INVALIDATION_NAMES = {
    "": "Default (serve the kept answer, with a Warning header)",
    "warn": "Serve the kept answer, with a Warning header",
    "allow": "Ask the backend anew",
    "ignore": "Serve the kept answer",
    "refuse": "Refuse the call with 403",
}
RETRY_NAMES = {
    "error": "No connection, or it broke",
    "timeout": "Time-out",
    "502": "Status 502",
    "503": "Status 503",
    "504": "Status 504",
}


def _number(label: str, help_text: str = "", *, low: int = 0) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        required=False,
        min_value=low,
        help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget,
    )


def lines(label: str, help_text: str = "") -> forms.CharField:
    """Return a field for a list, one on each line."""
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
    return forms.CharField(label=label, required=False, help_text=help_text, widget=widget)


class PolicyForm(forms.Form):
    """A policy as fields. `PolicyForm(initial=initial_of(policy))`; `policy()` of a valid one is the JSON form.

    What stays empty is left to the broader level.
    """

    throttle_rate = forms.FloatField(
        label="Calls a second",
        required=False,
        min_value=0,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )
    throttle_burst = _number("Calls at once", "Give both numbers or neither; 0 blocks.")
    cache_ttl = _number("Keep answers for (seconds)", f"1 to 3600; {DEFAULT_TTL} is usual. Empty = not kept.")
    cache_keys = lines(
        "What tells answers apart",
        "One on each line: query.page, header.accept or path.id. Other parameters do not count.",
    )
    cache_invalidation = forms.ChoiceField(
        label="A caller sends Cache-Control: max-age=0",
        required=False,
        choices=[(name, INVALIDATION_NAMES[name]) for name in ("", *INVALIDATIONS)],
        widget=UnfoldAdminSelectWidget,
    )
    cors_origins = lines("Origins", "One on each line: https://app.example.com, https://*.example.com or *.")
    cors_methods = forms.CharField(
        label="Methods",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="Such as GET, POST; empty = all.",
    )
    cors_headers = lines("Headers that may be sent", "One on each line, or *.")
    cors_expose = lines("Headers that may be read", "One on each line, or *.")
    cors_max_age = _number("Browsers remember for (seconds)", "Up to 86400.", low=-1)
    cors_credentials = forms.BooleanField(
        label="With cookies and credentials", required=False, widget=UnfoldBooleanSwitchWidget
    )
    ip_allow = lines("Let in only", "Addresses and networks, one on each line. Empty = everybody.")
    ip_deny = lines("Keep out", "Such as 192.0.2.7 or 10.0.0.0/8. Who is kept out is never let in.")
    retries_attempts = _number("Further tries", "At other addresses of the backend, 1 to 5.")
    retries_on = forms.MultipleChoiceField(
        label="After",
        required=False,
        choices=[(name, RETRY_NAMES[name]) for name in RETRY_ON],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    timeout_ms = _number(
        "Longest wait for the backend (milliseconds)",
        "50 or more, up to 29000 unless the installation allows longer waits.",
    )
    max_body = _number("Largest body of a call (bytes)", "Larger ones get 413.")
    off = forms.MultipleChoiceField(
        label="Ask nothing here of",
        required=False,
        choices=list(NAMES.items()),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Switches off what a broader level asks.",
    )

    GROUPS = (
        ("Throttle of each operation", ("throttle_rate", "throttle_burst")),
        ("Cache", ("cache_ttl", "cache_keys", "cache_invalidation")),
        (
            "CORS",
            (
                "cors_origins",
                "cors_methods",
                "cors_headers",
                "cors_expose",
                "cors_max_age",
                "cors_credentials",
            ),
        ),
        ("Addresses", ("ip_allow", "ip_deny")),
        ("Retries", ("retries_attempts", "retries_on")),
        ("Bounds", ("timeout_ms", "max_body")),
        ("Switched off", ("off",)),
    )

    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """Return the fields under their headings."""
        return [(title, [self[name] for name in names]) for title, names in self.GROUPS]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        policy = self.policy()
        for name in cleaned.get("off", ()):
            if name in policy and policy[name] is not None:
                self.add_error("off", f"{NAMES[name]} is set above and switched off here; choose one.")
        return cleaned

    def policy(self) -> dict[str, Any]:
        """Return what was filled in."""
        given = {name: _value(value) for name, value in self.cleaned_data.items()}
        found = {name: _part(name, given) for name in FIELDS}
        chosen = {name: part for name, part in found.items() if part not in (None, {})}
        return chosen | {name: None for name in given.get("off") or () if name not in chosen}

    @classmethod
    def field_at(cls, path: str) -> str | None:
        """Return the field for a dotted path such as policy.cache.ttl; None = no field in particular."""
        parts = [part for part in path.split(".")[1:] if not part.isdigit()]
        name = "_".join(parts)
        if name in cls.base_fields or not parts:
            return name or None
        return next((each for each in cls.base_fields if each.startswith(f"{parts[0]}_")), None)


def initial_of(policy: dict[str, Any]) -> dict[str, Any]:
    """Return what the form shows of a policy."""
    initial: dict[str, Any] = {"off": [name for name, part in policy.items() if part is None]}
    for name, part in policy.items():
        if isinstance(part, dict):
            initial |= {f"{name}_{each}": _shown(f"{name}_{each}", value) for each, value in part.items()}
        elif part is not None:
            initial[name] = part
    return initial


def _shown(field: str, value: Any) -> Any:
    if field == "cors_methods":
        return ", ".join(value)
    return "\n".join(value) if isinstance(value, list) and field != "retries_on" else value


def _value(value: Any) -> Any:
    return None if value is False or value in ("", []) else value


def _part(name: str, given: dict[str, Any]) -> Any:
    if name in given:
        return given[name]
    part = {
        field.removeprefix(f"{name}_"): _list(field, value)
        for field, value in given.items()
        if field.startswith(f"{name}_") and value is not None
    }
    # without their first value the others say nothing
    leads = {"cache": "ttl", "cors": "origins", "retries": "attempts"}
    return part if leads.get(name, "") in ("", *part) else _alone(name, part)


def _alone(name: str, part: dict[str, Any]) -> dict[str, Any] | None:
    """Keep what lacks its first value, so that it is refused there, unless nothing was filled in at all."""
    quiet = {"retries": {"on"}}.get(name, set())
    return part if part.keys() - quiet else None


def _list(field: str, value: Any) -> Any:
    if field == "cors_methods":
        return [each.strip() for each in value.split(",") if each.strip()]
    kept_as_they_are = not isinstance(value, str) or field == "cache_invalidation"
    return value if kept_as_they_are else [each.strip() for each in value.splitlines() if each.strip()]
