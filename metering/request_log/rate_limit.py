"""The headers RateLimit-Policy and RateLimit as they were sent. Pure."""

import re
from dataclasses import dataclass

_ITEM = re.compile(r'"(\w+)";([a-z])=(\d+);([a-z])=(\d+)')
_WINDOWS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Shown:
    """One limit: `plan`, `operation` or `quota`; of `limit` calls in `window` seconds `left` were left."""

    name: str
    limit: int
    window: int
    left: int

    @property
    def window_words(self) -> str:
        """`1 day`, `30 days`."""
        for seconds, word in _WINDOWS:
            if self.window % seconds == 0 and self.window >= seconds:
                count = self.window // seconds
                return f"{count} {word}{'' if count == 1 else 's'}"
        return "no time"


def read_limits(policy: str, left: str) -> list[Shown]:
    """Read both headers; a limit that one of them lacks is left out."""
    remaining = {name: int(first) for name, _, first, _, _ in _ITEM.findall(left)}
    return [
        Shown(name, int(limit), int(window), remaining[name])
        for name, _, limit, _, window in _ITEM.findall(policy)
        if name in remaining
    ]
