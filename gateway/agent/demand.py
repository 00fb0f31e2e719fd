"""How much of a limit this node would use, from what its bucket gave and refused. Pure."""

import math
from dataclasses import dataclass

# Calls are added up over so many seconds: short for fast limits, longer where single calls would be noise.
SHORTEST, LONGEST, CALLS = 0.2, 3.0, 10.0
# A node that refuses calls asks for at least so many times what it has: refused clients may have slowed down.
HUNGRY_FACTOR = 2.0
# A node that refuses none asks for a little more than it uses.
HEADROOM = 1.05


@dataclass(slots=True)
class Limit:
    """One throttle that the nodes divide by demand, as this node sees it.

    `share` is what nginx works with, None = the equal part; `rate` (calls/s) and `burst` are the whole limit's;
    `freed` are tokens that nginx let go and the control plane was not told of.
    """

    share: float | None = None
    rate: float = 0.0
    burst: float = 0.0
    freed: float = 0.0
    per_second: float = 0.0
    taken: int | None = None
    hungry_until: float = 0.0

    def observe(self, *, taken: int | None, refused: int, seconds: float, now: float) -> None:
        """Take in what happened in the last `seconds`: the bucket's running count, and calls refused."""
        window = min(LONGEST, max(SHORTEST, CALLS / self.rate if self.rate else LONGEST))
        if refused:
            self.hungry_until = now + 1.5 * window
        if taken is None:
            return
        if self.taken is not None and seconds > 0:
            # the count starts anew where a bucket has rested
            calls = refused + (taken - self.taken if taken >= self.taken else taken)
            weight = 1 - math.exp(-seconds / window)
            self.per_second += weight * (calls / seconds - self.per_second)
        self.taken = taken

    def is_hungry(self, now: float) -> bool:
        """Whether it refused a call a moment ago."""
        return now < self.hungry_until

    def wish(self, *, default: float, now: float) -> dict[str, float | bool]:
        """Return what the control plane is told, and forget the tokens let go: they are told once."""
        share = default if self.share is None else self.share
        demand = self.per_second / self.rate * HEADROOM if self.rate else 0.0
        if self.is_hungry(now):
            demand = max(demand, HUNGRY_FACTOR * share)
        freed, self.freed = self.freed, 0.0
        return {
            "share": share,
            "demand": round(min(demand, 1e6), 6),
            "freed": freed,
            "hungry": self.is_hungry(now),
            "rate": self.rate,
            "burst": self.burst,
        }
