"""URLs of servers, in one spelling."""

from urllib.parse import quote

from accounts.errors import Refused
from apis.openapi.uris import PATH_SAFE, UriError, read_server, split


def clean_url(url: str) -> str:
    """Return a backend's URL: host in lower case, path encoded, no slash at its end.

    Raises Refused(field="url").
    """
    text = url.strip()
    try:
        parts = split(text)
        server = read_server(parts)
    except UriError as error:
        raise Refused(f"{error} Give one such as https://api.example.com/base.", field="url") from error
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise Refused("A backend's URL has no query and no fragment.", field="url")
    if "{" in text or "}" in text:
        raise Refused("A backend's URL has no placeholders.", field="url")
    if len(text) > 500:
        raise Refused("A backend's URL has at most 500 characters.", field="url")
    host = f"[{server.host}]" if ":" in server.host else server.host
    port = f":{parts.port}" if parts.port else ""
    return f"{server.scheme}://{host}{port}{quote(parts.path, safe=PATH_SAFE)}".rstrip("/")
