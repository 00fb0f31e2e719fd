"""Where people reach the website: the address of its own domain, else the operator's GATEHOUSE_PORTAL_URL."""

from urllib.parse import urlsplit

from django.conf import settings

from accounts.branding.shown import shown_branding
from accounts.errors import Refused

DEFAULT_PORTS = {"http": 80, "https": 443}


def portal_url() -> str:
    """Return it without a slash at its end, for links in mails and canonical addresses. No query while cached."""
    address: str = shown_branding().address or settings.PORTAL_URL
    return address


def is_own_host(raw: str) -> bool:
    """Say whether a Host header names the website's own domain."""
    address = shown_branding().address
    if not address or not raw:
        return False
    parts = urlsplit(address)
    port = DEFAULT_PORTS[parts.scheme]
    host = raw.lower().removesuffix(f":{port}")
    return host == parts.netloc.removesuffix(f":{port}")


def check_address(address: str) -> str:
    """Return it in one form, '' for none. Refused (field `address`): no origin, or http where links are https."""
    text = address.strip().rstrip("/").lower()
    if not text:
        return ""
    parts = urlsplit(text)
    try:
        parts.port  # noqa: B018 -- raises for what is no port
    except ValueError as error:
        raise Refused("The port is a number up to 65535.", field="address") from error
    bare = parts.scheme in DEFAULT_PORTS and parts.hostname and text == f"{parts.scheme}://{parts.netloc}"
    if not bare or "@" in parts.netloc or any(each in parts.netloc for each in " *_,;\\"):
        message = "Write scheme and host alone, such as https://developers.example.com."
        raise Refused(message, field="address")
    if parts.scheme == "http" and settings.PORTAL_URL.startswith("https:"):
        raise Refused("The portal is reached by https, so its own domain must be, too.", field="address")
    return text
