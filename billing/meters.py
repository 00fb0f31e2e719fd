"""Meters: what is counted, its unit, and how a bill names it. A custom meter goes by its code."""

import re
from dataclasses import dataclass

from accounts.errors import Refused

CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class MeterName:
    """`unit` is what one of it is called on a line; `short` stands behind numbers, where they need one."""

    name: str
    unit: str
    short: str = ""


BUILT_IN: dict[str, MeterName] = {
    "requests": MeterName("Requests", "request"),
    "http_requests": MeterName("Requests of 512 KiB", "512 KiB unit"),
    "stream_requests": MeterName("Streamed requests of 10 MiB", "10 MiB unit"),
    "bytes_out": MeterName("Data out", "GiB", " GiB"),
    "bytes_in": MeterName("Data in", "GiB", " GiB"),
    "cache_hours": MeterName("Cache", "hour", " hours"),
}


def meter_name(code: str) -> MeterName:
    """Return how a meter is named; a custom one by its code, counted in units."""
    return BUILT_IN.get(code) or MeterName(code, "unit")


def check_meter(code: str) -> str:
    """Return the code of a meter, built in or custom; Refused(field `meter`) for what cannot be one."""
    if not CODE.fullmatch(code):
        raise Refused(
            f"{code!r} is not a meter's code. Use one of {', '.join(BUILT_IN)}, or a custom meter's code: "
            "at most 40 small letters, digits and _, a letter first.",
            field="meter",
        )
    return code


def order(code: str) -> tuple[int, str]:
    """Sort key: built-in meters in the order above, then custom ones by code."""
    return (list(BUILT_IN).index(code) if code in BUILT_IN else len(BUILT_IN), code)
