"""Several levels of policy -> what holds, and what of it is odd."""

from collections.abc import Iterable, Mapping
from typing import Any

Policy = Mapping[str, Any]


def effective(levels: Iterable[Policy | None]) -> dict[str, Any]:
    """Put policies together, most specific first: of each field the first level that has it decides.

    What asks for nothing (null, a cache of 0 seconds, 0 retries, empty IP rules) is left out.
    """
    found: dict[str, Any] = {}
    for level in levels:
        for name, value in (level or {}).items():
            found.setdefault(name, value)
    return {name: value for name, value in found.items() if _asks(name, value)}


def _asks(name: str, value: Any) -> bool:
    if value is None:
        return False
    if name == "cache":
        return bool(value["ttl"])
    if name == "retries":
        return bool(value["attempts"])
    if name == "ip":
        return bool(value["allow"] or value["deny"])
    return True


def remarks(stage: Policy | None, operations: Mapping[str, Policy]) -> list[str]:
    """Say which throttle of an operation is set above the stage's own, which then decides.

    `stage` is {rate, burst} of the stage's bucket; `operations` are policies by a name that people know.
    """
    found = []
    for name, policy in operations.items():
        throttle = policy.get("throttle")
        if not stage or not throttle:
            continue
        for part, unit in (("rate", "calls a second"), ("burst", "calls at once")):
            if throttle[part] > stage[part]:
                found.append(
                    f"{name}: {throttle[part]:g} {unit} is more than the {stage[part]:g} of the whole stage, "
                    "which decides."
                )
    return found
