"""One entry to write, as the compilers make it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One entry to write. `data` is a dataclass of `gateway.entries`, or None when the thing is gone.

    A `problem` is shown to people. With it and without data, nodes keep what they have.
    """

    kind: str
    key: str
    organization_id: str | None
    data: Any
    problem: str = ""

    @property
    def name(self) -> tuple[str, str]:
        return self.kind, self.key


def unix(moment: datetime | None) -> float | None:
    """Return Unix seconds, as entries have moments."""
    return None if moment is None else moment.timestamp()
