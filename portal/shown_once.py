"""Secrets that a page shows once: kept in the session from the POST that made them to the GET that shows them."""

from typing import Any

from django.http import HttpRequest

SESSION_KEY = "shown_once"


def keep(request: HttpRequest, kind: str, owner_id: str, text: str, **details: Any) -> None:
    """Keep a secret for the next page. `owner_id` is what it belongs to (an application, an organization)."""
    request.session[SESSION_KEY] = {"kind": kind, "owner": owner_id, "text": text, **details}


def take(request: HttpRequest, kind: str, owner_id: str) -> dict[str, Any] | None:
    """Return what was kept for this page and forget it; None when it was shown already."""
    kept: dict[str, Any] | None = request.session.get(SESSION_KEY)
    if not kept or kept["kind"] != kind or kept["owner"] != owner_id:
        return None
    del request.session[SESSION_KEY]
    # now, not at the end of the request: if that failed, the secret would stay
    request.session.save()
    return kept
