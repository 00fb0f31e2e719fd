"""Which credits are used first (pure)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

_NEVER = datetime.max.replace(tzinfo=UTC)
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Available:
    """A grant with what is left of it. `expires_at` None = never."""

    id: str
    left: Decimal
    priority: int
    starts_at: datetime
    expires_at: datetime | None

    @property
    def order(self) -> tuple[int, datetime, datetime, str]:
        """Priority, then what expires first, then what began first."""
        return self.priority, self.expires_at or _NEVER, self.starts_at, self.id

    def usable(self, at: datetime, for_use_until: datetime | None = None) -> bool:
        """Whether it has begun at that moment, and had not expired (before the end of the use that it pays)."""
        begun = self.starts_at <= at
        if self.expires_at is None:
            return begun
        return begun and (self.expires_at >= for_use_until if for_use_until else self.expires_at > at)


def allocate(
    grants: Iterable[Available], amount: Decimal, at: datetime, for_use_until: datetime | None = None
) -> list[tuple[str, Decimal]]:
    """Return (grant, part) in the order of use; the parts add up to `amount`, or to all that is usable.

    An amount of zero or less takes nothing. `for_use_until` = the exclusive end of the period that is paid for:
    credits that lasted to its end pay for it, although the invoice comes an hour later.
    """
    parts: list[tuple[str, Decimal]] = []
    for grant in sorted(grants, key=lambda each: each.order):
        part = min(grant.left, amount)
        if part > ZERO and grant.usable(at, for_use_until):
            parts.append((grant.id, part))
            amount -= part
    return parts
