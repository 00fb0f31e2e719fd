"""What every page may use."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Return the installation's addresses and mode."""
    return {"GATEWAY_URL": settings.GATEWAY_URL, "DEMO": settings.GATEHOUSE_DEMO}
