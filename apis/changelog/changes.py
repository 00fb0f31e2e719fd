"""One line of a changelog."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["added", "changed", "deprecated", "removed"]


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one operation.

    `breaking` = a call that was right before may fail, or its answer may lack what a caller reads.
    """

    kind: Kind
    method: str
    path: str
    message: str
    breaking: bool = False
