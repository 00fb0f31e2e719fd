"""How fast a count grows."""

from collections import deque

SECONDS = 10.0
_APART = 1.0


class Rate:
    """How much a count grew a second, over about the last ten seconds."""

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()

    def of(self, count: int, at: float) -> float:
        """Note the count at a moment (seconds of a clock that never jumps); return its growth a second."""
        if not self._marks or at - self._marks[-1][0] >= _APART:
            self._marks.append((at, count))
        while len(self._marks) > 2 and at - self._marks[1][0] >= SECONDS:
            self._marks.popleft()
        then, before = self._marks[0]
        return round((count - before) / (at - then), 2) if at > then else 0.0
