"""How long usage and the request log are kept."""

from django.core.exceptions import ImproperlyConfigured

from portal.settings.environment import env

# Counts are taken for 35 days (metering/dimensions.py); what may still change, or come a second time, is kept longer.
_LEAST = 37


def _days(name: str, default: int, *, least: int = _LEAST) -> int:
    days = env.int(name, default)
    if days and days < least:
        raise ImproperlyConfigured(f"{name} is {days}; use {least} days or more, or 0 for ever.")
    return days


# days after the end of a record's month; 0 = for ever
USAGE_KEEP_MINUTES_DAYS = _days("GATEHOUSE_KEEP_MINUTES", 45)
USAGE_KEEP_HOURS_DAYS = _days("GATEHOUSE_KEEP_HOURS", 396)
USAGE_KEEP_DAYS_DAYS = _days("GATEHOUSE_KEEP_DAYS", 0)
# Days that lines of the request log are kept, today not among them; 0 = none is taken
REQUEST_LOG_KEEP_DAYS = env.int("GATEHOUSE_KEEP_REQUESTS", 7)
# days after receipt
USAGE_KEEP_BATCHES_DAYS = _days("GATEHOUSE_KEEP_BATCHES", 45)
