"""Parts of a budget or a quota at which somebody is told."""

from collections.abc import Collection
from typing import Any

from accounts.errors import Refused

MOST = 10


def usual_percents() -> list[int]:
    """Return what holds where nothing else was chosen."""
    return [50, 80, 100]


def read_percents(raw: Collection[Any], *, highest: int = 1_000) -> list[int]:
    """Return whole percents from 1 to `highest`, ascending, each once; Refused (field `percents`) otherwise."""
    whole = all(isinstance(each, int) and not isinstance(each, bool) for each in raw)
    if not whole or any(not 1 <= each <= highest for each in raw):
        raise Refused(f"Give whole percents from 1 to {highest:,}, such as 50, 80, 100.", field="percents")
    if len(set(raw)) > MOST:
        raise Refused(f"Give at most {MOST} percents.", field="percents")
    return sorted(set(raw))
