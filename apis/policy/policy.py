"""A policy: what a stage, an operation or a document asks of the gate."""

from collections.abc import Callable
from typing import Any

from apis.policy.cache import read_cache
from apis.policy.cors import read_cors
from apis.policy.ip import read_ip
from apis.policy.limits import MIN_TIMEOUT_MS, Limits
from apis.policy.reading import PolicyError, fields_of, one_of, path, rate, texts, whole
from apis.policy.sizes import read_max_body

FIELDS = ("throttle", "ip", "cors", "cache", "retries", "timeout_ms", "max_body")
RETRY_ON = ("error", "timeout", "502", "503", "504")
MOST_ATTEMPTS = 5
LARGEST_BURST = 2_000_000_000


def read_policy(raw: Any, at: str = "policy", limits: Limits | None = None) -> dict[str, Any]:
    """Read a policy into its checked JSON form; raises PolicyError naming the field.

    null for a field says that nothing is asked, although a broader level asks; a field that is not there
    leaves it to the broader level.
    """
    given = fields_of(raw, at, known=FIELDS)
    return {name: read_field(name, value, at, limits) for name, value in given.items()}


def read_field(name: str, value: Any, at: str = "policy", limits: Limits | None = None) -> Any:
    """Read one field of a policy."""
    if value is None:
        return None
    if name == "timeout_ms":
        most = (limits or Limits()).max_timeout_ms
        return whole(value, path(at, name), MIN_TIMEOUT_MS, most, "milliseconds")
    return _READERS[name](value, path(at, name))


def read_throttle(raw: Any, at: str) -> dict[str, Any]:
    """Read {rate, burst}: calls a second, and calls at once; 0 blocks."""
    given = fields_of(raw, at, known=("rate", "burst"), needed=("rate", "burst"))
    burst = whole(given["burst"], path(at, "burst"), 0, LARGEST_BURST, "calls")
    return {"rate": rate(given["rate"], path(at, "rate")), "burst": burst}


def read_retries(raw: Any, at: str) -> dict[str, Any]:
    """Read {attempts, on}: how many more tries at other addresses, after what."""
    given = fields_of(raw, at, known=("attempts", "on"), needed=("attempts",))
    attempts = whole(given["attempts"], path(at, "attempts"), 0, MOST_ATTEMPTS, "further tries")
    on = texts(given.get("on") or ["error"], path(at, "on"), _reason)
    return {"attempts": attempts, "on": on}


def _reason(raw: Any, at: str) -> str:
    return one_of(str(raw) if isinstance(raw, int) and not isinstance(raw, bool) else raw, at, RETRY_ON)


def read_health(raw: Any, at: str) -> dict[str, int]:
    """Read a backend's {failures, rest_ms}: after so many failures in a row an address rests so long."""
    given = fields_of(raw, at, known=("failures", "rest_ms"), needed=("failures", "rest_ms"))
    return {
        "failures": whole(given["failures"], path(at, "failures"), 1, 1_000, "failures in a row"),
        "rest_ms": whole(given["rest_ms"], path(at, "rest_ms"), 100, 3_600_000, "milliseconds"),
    }


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "throttle": read_throttle,
    "ip": read_ip,
    "cors": read_cors,
    "cache": read_cache,
    "retries": read_retries,
    "max_body": read_max_body,
}

__all__ = [
    "FIELDS",
    "PolicyError",
    "read_field",
    "read_health",
    "read_policy",
    "read_retries",
    "read_throttle",
]
