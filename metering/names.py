"""Names for the ids that usage records carry."""

from collections.abc import Callable, Collection
from typing import Any

from access.models import ApiKey, Application
from accounts.models import Organization
from apis.models import Api, ApiVersion, Operation, Stage

STATUS = {1: "1xx", 2: "2xx", 3: "3xx", 4: "4xx", 5: "5xx"}
ACCEPTED = "Accepted"
# the names of gateway/verdicts.json; '' is the verdict of a call that the backend answered
VERDICTS = (
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST",
    "CORS_PREFLIGHT",
    "INVALID_API_KEY",
    "MISSING_AUTHENTICATION_TOKEN",
    "NOT_READY",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "THROTTLED",
    "UNAUTHORIZED",
    "USAGE_LOG_FULL",
)
CANARY = {False: "Base", True: "Canary"}
# what '' means where an id could stand
_NONE = {
    "operation": "No operation matched",
    "key": "No known key",
    "application": "No known application",
    "developer": "No known developer",
}
_ROWS: dict[str, Callable[[], Any]] = {
    "api": Api.objects.all,
    "version": lambda: ApiVersion.objects.select_related("api").defer("document", "findings"),
    "stage": lambda: Stage.objects.select_related("version__api").defer("version__document"),
    "operation": Operation.objects.all,
    "key": ApiKey.objects.all,
    "application": Application.objects.all,
    "developer": Organization.objects.all,
}


def names_of(dimension: str, ids: Collection[Any]) -> dict[Any, str]:
    """Return a name for each id, with one query at most; what was deleted keeps its id as name."""
    if dimension == "status":
        return {each: STATUS[each] for each in ids}
    if dimension == "canary":
        return {each: CANARY[each] for each in ids}
    if dimension == "verdict":
        return {each: each or ACCEPTED for each in ids}
    found = {row.pk: str(row) for row in _ROWS[dimension]().filter(pk__in=[each for each in ids if each])}
    found[""] = _NONE.get(dimension, "None")
    return {each: found.get(each, each) for each in ids}
