"""Meters as a bill names them: the gateway's own, and those that providers report."""

import re

from accounts.errors import Refused
from accounts.models import Organization
from metering.models import CustomMeter

CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
# meter -> (name, unit); what is not here is a provider's own
BUILT_IN: dict[str, tuple[str, str]] = {
    "requests": ("Requests", "request"),
    "http_requests": ("HTTP requests", "request"),
    "stream_requests": ("Streamed answers", "request"),
    "bytes_out": ("Data out", "GiB"),
    "bytes_in": ("Data in", "GiB"),
    "cache_hours": ("Cache", "hour"),
}
_ORDER = {meter: number for number, meter in enumerate(BUILT_IN)}
# What is on the bill even where it costs nothing, so that a customer sees what was counted.
ALWAYS_SHOWN = ("requests", "bytes_out")
# Prices of these are for calls, too: then calls as such are not shown as "not charged".
_ALSO_CALLS = ("http_requests", "stream_requests")


def check_meter(code: str) -> str:
    """Return a meter's code; Refused(field `meter`) for one that cannot be a meter's."""
    if not CODE.fullmatch(code):
        raise Refused(
            f"{code!r} is not a meter. Use one of {', '.join(BUILT_IN)}, or a meter of your own: small letters, "
            "digits and _, at most 40, beginning with a letter.",
            field="meter",
        )
    return code


def check_known_meter(organization: Organization, code: str) -> str:
    """Return the code of a meter that something counts: the gateway, or events of the provider.

    Refused(field `meter`) names the meters that there are.
    """
    code = check_meter(code)
    if code in BUILT_IN:
        return code
    own = (
        CustomMeter.objects.filter(organization=organization).order_by("code").values_list("code", flat=True)
    )
    known = list(own)
    if code not in known:
        raise Refused(
            f"Nothing counts {code!r}. Use one of {', '.join([*BUILT_IN, *known])}; or make a meter {code} first, "
            "and report its events.",
            field="meter",
            code="unknown_meter",
        )
    return code


def name_of(meter: str) -> str:
    """`Requests`, `Data out`; a provider's own meter `ws_messages` is `Ws messages`."""
    return BUILT_IN[meter][0] if meter in BUILT_IN else meter.replace("_", " ").capitalize()


def unit_of(meter: str) -> str:
    """`request`, `GiB`, `hour`; `unit` for a provider's own meter."""
    return BUILT_IN[meter][1] if meter in BUILT_IN else "unit"


def order_of(meter: str) -> tuple[int, str]:
    """The order of meters on a bill: the gateway's, then others by code."""
    return (_ORDER.get(meter, len(_ORDER)), meter)


def shown_unpriced(meter: str, priced: set[str]) -> bool:
    """Whether use of a meter without a price is on the bill, where `priced` are the meters that have one."""
    if meter == "requests" and priced.intersection(_ALSO_CALLS):
        return False
    return meter in ALWAYS_SHOWN
