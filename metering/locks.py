"""Who may write the records: workers that add up together, or one that rebuilds them alone."""

from django.db import connection

_LOCK = "SELECT pg_advisory_xact_lock{kind}(hashtext('metering.records'))"


def hold_together() -> None:
    """Wait for a rebuild, and keep the next one waiting until the transaction ends."""
    _hold("_shared")


def hold_alone() -> None:
    """Wait until no worker adds up, and keep all waiting until the transaction ends."""
    _hold("")


def _hold(kind: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK.format(kind=kind))
