"""A backend's further servers, and what it does when one of them fails."""

from typing import Any
from urllib.parse import urlsplit

from accounts.errors import Refused
from apis.models import Backend
from apis.policy.policy import read_health, read_retries
from apis.policy.reading import fields_of, path, whole
from apis.refusals import policies_are_refused
from apis.server_urls import clean_url

MOST_SERVERS = 50
HEAVIEST = 1_000


def check_servers(backend: Backend) -> None:
    """Put weight, targets, health and retries into their checked form; raises Refused at the field."""
    with policies_are_refused():
        backend.weight = whole(backend.weight, "weight", 1, HEAVIEST, "shares")
        backend.targets = _targets(backend.url, backend.targets)
        backend.health = read_health(backend.health, "health") if backend.health else None
        backend.retries = read_retries(backend.retries, "retries") if backend.retries else None


def _targets(url: str, raw: Any) -> list[dict[str, Any]]:
    if not isinstance(raw, list) or len(raw) >= MOST_SERVERS:
        raise Refused(f"Give a list of at most {MOST_SERVERS - 1} further servers.", field="targets")
    known, read = {url}, []
    for position, each in enumerate(raw):
        at = path("targets", position)
        given = fields_of(each, at, known=("url", "weight"), needed=("url",))
        other = _like(url, given["url"], path(at, "url"))
        if other in known:
            raise Refused("This server is there twice; give it a greater weight.", field=path(at, "url"))
        known.add(other)
        weight = whole(given.get("weight", 1), path(at, "weight"), 1, HEAVIEST, "shares")
        read.append({"url": other, "weight": weight})
    return read


def _like(url: str, raw: Any, at: str) -> str:
    """Return the URL of a further server: of the same scheme and path as the first, which it may leave out."""
    if not isinstance(raw, str):
        raise Refused("Give a URL such as https://b.example.com.", field=at)
    try:
        other = clean_url(raw)
    except Refused as refused:
        raise Refused(refused.message, field=at) from refused
    first, second = urlsplit(url), urlsplit(other)
    if first.scheme != second.scheme:
        message = f"All servers of a backend speak one scheme; the first speaks {first.scheme}."
        raise Refused(message, field=at)
    if second.path in ("", first.path):
        return f"{second.scheme}://{second.netloc}{first.path}"
    message = f"All servers of a backend have one path; the first has {first.path or 'none'}."
    raise Refused(message, field=at)
