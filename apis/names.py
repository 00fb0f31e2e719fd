"""Names that become parts of addresses: APIs, versions, stages, base paths, hosts."""

import ipaddress
import re
from collections.abc import Collection
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.text import slugify

from accounts.errors import Refused
from apis.models import Api
from apis.openapi.uris import HOST

MOST_TAGS = 12
# paths that Amazon API Gateway keeps for its own health checks
RESERVED = ("ping", "sping")
# and what the shared host keeps for itself: nodes verify keys at /api/v1/keys/
SHARED_RESERVED = (*RESERVED, "api")
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?\Z")
REGION = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}\Z")
STAGE = re.compile(r"[A-Za-z0-9_-]{1,128}\Z")
SEGMENT = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]+\Z")
MAX_BASE_PATH = 200


def new_slug(name: str, given: str) -> str:
    """Return a free slug: the given one, or one made from the name; raises Refused(field="slug")."""
    if given:
        check_slug(given)
        if Api.objects.filter(slug=given).exists():
            raise Refused(
                f"Another API is called {given!r}; choose another slug.", field="slug", code="taken"
            )
        return given
    base = slugify(name)[:50].strip("-_").replace("_", "-") or "my-api"
    base = f"{base}-api" if base in SHARED_RESERVED else base
    taken = set(Api.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    candidates = (base if number == 1 else f"{base}-{number}" for number in range(1, len(taken) + 2))
    return next(each for each in candidates if each not in taken)


def check_slug(slug: str) -> None:
    """Refuse what cannot be the first part of /{api}/{version}."""
    if not SLUG.match(slug) or slug in SHARED_RESERVED:
        message = "Use lower-case letters, digits and hyphens, at most 60; ping, sping and api are reserved."
        raise Refused(message, field="slug")


def check_version_name(name: str) -> None:
    """Refuse what cannot be the second part of /{api}/{version}."""
    if not VERSION.match(name):
        message = "Use letters, digits, hyphens and underscores, at most 40, such as v1."
        raise Refused(message, field="name")


def check_stage_name(name: str) -> None:
    """Refuse what cannot be the first path segment of a canonical address."""
    if not STAGE.match(name):
        message = "Use letters, digits, hyphens and underscores, at most 128, such as live or test."
        raise Refused(message, field="stage_name")


def clean_base_path(text: str, host: str) -> str:
    """Return a base path of `host` ('' = the shared one) without slashes at its ends.

    Raises Refused(field="base_path").
    """
    path = text.strip().strip("/")
    segments = path.split("/") if path else []
    if len(path) > MAX_BASE_PATH:
        raise Refused(f"A base path has at most {MAX_BASE_PATH} characters.", field="base_path")
    if any(not SEGMENT.match(each) or each in (".", "..") for each in segments):
        message = "Use path segments of letters, digits and - . _ ~ between single slashes, such as shop/v1."
        raise Refused(message, field="base_path")
    reserved = RESERVED if host else SHARED_RESERVED
    if segments and segments[0] in reserved:
        message = f"{' and '.join(reserved)} are reserved; begin with another word."
        raise Refused(message, field="base_path")
    return path


def clean_host(text: str) -> str:
    """Return a host name in lower case ('' = the shared host); raises Refused(field="host")."""
    host = text.strip().lower().rstrip(".")
    if not host:
        return ""
    try:
        host = host if host.isascii() else host.encode("idna").decode()
        ipaddress.ip_address(host)
        raise Refused("Give a host name, not an IP address.", field="host")
    except UnicodeError as error:
        raise Refused("This is not a DNS name.", field="host") from error
    except ValueError:
        pass
    if not HOST.match(host) or "." not in host or "_" in host:
        raise Refused("Give a whole DNS name such as api.example.com, without a port.", field="host")
    if ".execute-api." in f"{host}.":
        raise Refused("Names with execute-api belong to the canonical addresses.", field="host")
    if host == urlsplit(settings.GATEWAY_URL).hostname:
        raise Refused("This is the shared host; leave the host empty.", field="host")
    return host


def clean_tags(tags: Collection[str]) -> list[str]:
    """Return the tags in small letters, each once, in their order. Refused: field tags."""
    cleaned = dict.fromkeys(" ".join(each.lower().split()) for each in tags)
    cleaned.pop("", None)
    if len(cleaned) > MOST_TAGS or any(len(each) > 40 or "," in each for each in cleaned):
        message = f"An API has at most {MOST_TAGS} tags of at most 40 characters each, without commas."
        raise Refused(message, field="tags")
    return list(cleaned)
