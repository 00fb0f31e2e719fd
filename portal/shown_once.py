"""Secrets that a page shows once: kept in the session from the POST that made them to the GET that shows them."""

import time
from typing import Any

from django.http import HttpRequest

SESSION_KEY = "shown_once"
# seconds; the page is opened by a redirect at once, so a secret that waits for longer was abandoned
KEPT_FOR = 15 * 60


def keep(request: HttpRequest, kind: str, owner_id: str, text: str, **details: Any) -> None:
    """Keep a secret for the next page. `owner_id` is what it belongs to (an application, an organization)."""
    kept = {"kind": kind, "owner": owner_id, "text": text, "until": time.time() + KEPT_FOR}
    request.session[SESSION_KEY] = kept | details


def take(request: HttpRequest, kind: str, owner_id: str) -> dict[str, Any] | None:
    """Return what was kept for this page and forget it; None when it was shown already or waited too long."""
    drop_abandoned(request)
    kept: dict[str, Any] | None = request.session.get(SESSION_KEY)
    if not kept or kept["kind"] != kind or kept["owner"] != owner_id:
        return None
    _forget(request)
    return kept


def drop_abandoned(request: HttpRequest) -> None:
    """Forget a secret that nobody came to see in time. Pages of the console call this on each visit."""
    kept = request.session.get(SESSION_KEY)
    if kept and kept.get("until", 0) < time.time():
        _forget(request)


def _forget(request: HttpRequest) -> None:
    del request.session[SESSION_KEY]
    # now, not at the end of the request: if that failed, the secret would stay
    request.session.save()
