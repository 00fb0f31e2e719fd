"""What this installation lets providers ask for."""

from django.conf import settings

from apis.policy import Limits


def limits() -> Limits:
    """Return the bounds of policies, from the settings."""
    return Limits(max_timeout_ms=settings.GATEHOUSE_MAX_TIMEOUT_MS)
