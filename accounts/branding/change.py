"""Changing the installation's look."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from accounts.audit import record
from accounts.branding.colours import check_accent
from accounts.branding.models import Branding
from accounts.branding.shown import forget
from accounts.errors import Refused
from accounts.models import User
from accounts.portal_address import check_address
from accounts.rows import assign, check_fields

CHANGEABLE = ("name", "accent_light", "accent_dark", "footer_links", "address")
MOST_BYTES = 200_000
MOST_LINKS = 12
# how a picture begins -> its type
PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"<svg": "image/svg+xml"}


@transaction.atomic
def change_branding(*, actor: User | None, **fields: Any) -> Branding:
    """Change name, accent_light, accent_dark, footer_links ([{label, url}]), address or logo (bytes; b"" = none).

    Refused: the field at fault, `accent_light` and `accent_dark` also for too little contrast.
    """
    Branding.objects.get_or_create(pk=1)
    row = Branding.objects.select_for_update().get(pk=1)
    logo = fields.pop("logo", None)
    changes = assign(row, cleaned_look(fields), allowed=CHANGEABLE)
    if logo is not None and logo != bytes(row.logo or b""):
        row.logo_type = _type_of(logo)
        row.logo = logo or None
        changes["logo"] = [None, row.logo_type]
    check_fields(row)
    if changes:
        row.save()
        forget()
        names = ", ".join(changes)
        record(
            organization=None,
            actor=actor,
            action="branding.changed",
            target=row,
            summary=f"Changed {names} of the website.",
            changes=changes,
        )
    return row


def cleaned_look(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields of change_branding as they may be shown. Refused: the field at fault."""
    cleaned = dict(fields)
    for name in ("accent_light", "accent_dark"):
        if name in cleaned:
            cleaned[name] = check_accent(cleaned[name], dark=name == "accent_dark")
    if "address" in cleaned:
        cleaned["address"] = check_address(cleaned["address"])
    if "name" in cleaned:
        cleaned["name"] = " ".join(cleaned["name"].split())
    if "footer_links" in cleaned:
        cleaned["footer_links"] = [_link(each) for each in cleaned["footer_links"]]
        if len(cleaned["footer_links"]) > MOST_LINKS:
            raise Refused(f"The footer has room for {MOST_LINKS} links.", field="footer_links")
    return cleaned


def _link(link: Mapping[str, str]) -> dict[str, str]:
    label, url = link.get("label", "").strip(), link.get("url", "").strip()
    parts = urlsplit(url)
    ours = url.startswith("/") and not url.startswith("//")
    ok = (
        ours
        or (parts.scheme in ("http", "https") and parts.netloc)
        or (parts.scheme == "mailto" and parts.path)
    )
    if not label or len(label) > 60 or not ok or len(url) > 500:
        message = (
            f"{url[:60] or label!r}: a link needs a label and an address with http, https or mailto, or /…"
        )
        raise Refused(message, field="footer_links")
    return {"label": label, "url": url}


def _type_of(logo: bytes) -> str:
    if not logo:
        return ""
    if len(logo) > MOST_BYTES:
        raise Refused(f"The logo has at most {MOST_BYTES // 1000} kB.", field="logo")
    start = logo.lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(b"<?xml"):
        start = start[start.find(b"<svg") :] if b"<svg" in start[:2000] else b""
    found = next((kind for magic, kind in PICTURES.items() if start.startswith(magic)), "")
    if not found and start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        found = "image/webp"
    if not found:
        raise Refused("Use a PNG, JPEG, WebP or SVG.", field="logo")
    return found
