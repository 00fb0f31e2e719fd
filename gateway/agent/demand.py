"""How much of a limit this node would use, from what its bucket gave and refused. Pure."""

import math
from dataclasses import dataclass

# Calls are added up over so many seconds: short for fast limits, longer where single calls would be noise.
SHORTEST, LONGEST, CALLS = 0.2, 3.0, 10.0
# A node that refuses calls asks for at least so many times what it has: refused clients may have slowed down.
HUNGRY_FACTOR = 2.0
# A node that refuses none asks for a little more than it uses.
HEADROOM = 1.05
# Callers are gone when none came where so many were expected (by chance: less than once in 100 looks).
EXPECTED = 5.0


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
    per_second: float | None = None  # calls, refused ones too; None = not known yet
    newest: float = 0.0  # calls a second at the last look
    taken: int | None = None
    hungry_until: float = 0.0

    def observe(self, *, taken: int | None, refused: int, seconds: float, now: float) -> bool:
        """Take in what happened in the last `seconds`: the bucket's running count, and calls refused.

        True = something changed all at once: callers are gone, or are refused after none was.
        """
        window = min(LONGEST, max(SHORTEST, CALLS / self.rate if self.rate else LONGEST))
        news = bool(refused) and not self.is_hungry(now)
        if refused:
            self.hungry_until = now + 1.5 * window
        if taken is None:
            return news
        before, self.taken = self.taken, taken
        if before is None or seconds <= 0:
            return news
        # the count starts anew where a bucket has rested
        calls = refused + (taken - before if taken >= before else taken)
        expected = (self.per_second or 0.0) * seconds
        self.newest = calls / seconds
        if not calls and expected >= EXPECTED:
            self.per_second, self.hungry_until = 0.0, 0.0
            return True
        known = self.newest if self.per_second is None else self.per_second
        self.per_second = known + (1 - math.exp(-seconds / window)) * (self.newest - known)
        return news

    def is_hungry(self, now: float) -> bool:
        """Whether it refused a call a moment ago."""
        return now < self.hungry_until

    def wish(self, *, default: float, now: float) -> dict[str, float | bool]:
        """Return what the control plane is told, and forget the tokens let go: they are told once."""
        share = default if self.share is None else self.share
        demand = share  # until it is known
        if self.per_second is not None and self.rate:
            demand = self.per_second / self.rate * HEADROOM
        if self.is_hungry(now):
            demand = max(demand, HUNGRY_FACTOR * share, self.newest / self.rate if self.rate else 0.0)
        freed, self.freed = self.freed, 0.0
        return {
            "share": share,
            "demand": round(min(demand, 1e6), 6),
            "freed": freed,
            "hungry": self.is_hungry(now),
            "rate": self.rate,
            "burst": self.burst,
        }
