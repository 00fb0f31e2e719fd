"""Fetching an OpenAPI document by its URL.

The control plane fetches on a user's word, so it takes care where it goes: only http and https, at most three
redirects, a time and a size limit, and in production no addresses of the inside (the setting FETCH_PRIVATE
allows them). The address that was checked is the one that is called.
"""

import time
from urllib.parse import urljoin

import certifi
import urllib3
from django.conf import settings

from accounts.errors import Refused
from apis.openapi.uris import Server, UriError, read_server, split
from apis.outgoing import addresses_of, may_call

SECONDS = 10.0
MAX_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
CHUNK = 65_536
HEADERS = {
    "Accept": "application/json, application/yaml, text/yaml, */*;q=0.5",
    "User-Agent": "Gatehouse",
    "Accept-Encoding": "identity",
}


def fetch_document(url: str) -> bytes:
    """Fetch a document (http or https, 10 s, at most 3 redirects, size limit).

    Raises Refused(field="url") with what went wrong and, where there is one, the way out.
    """
    deadline = time.monotonic() + SECONDS
    for _ in range(MAX_REDIRECTS + 1):
        found = _get(url.strip(), deadline)
        if isinstance(found, bytes):
            return found
        url = urljoin(url, found)
    raise _no(f"The URL redirects more than {MAX_REDIRECTS} times.")


def _get(url: str, deadline: float) -> bytes | str:
    """Return the body, or the address of a redirect."""
    try:
        parts = split(url)
        server = read_server(parts)
    except UriError as error:
        raise _no(str(error)) from error
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    response = None
    pool = _pool(server, _address(server), deadline)
    try:
        response = pool.urlopen(
            "GET",
            target,
            headers=HEADERS | {"Host": parts.netloc},
            redirect=False,
            retries=False,
            preload_content=False,
        )
        if response.status in REDIRECTS and response.headers.get("Location"):
            return str(response.headers["Location"])
        if response.status != 200:
            raise _no(f"{server.host} answered with status {response.status}.")
        return _body(response, deadline)
    except urllib3.exceptions.SSLError as error:
        raise _no(f"The certificate of {server.host} could not be verified.") from error
    except (urllib3.exceptions.HTTPError, OSError) as error:
        # urllib3 counts a refused connection among its timeouts
        refused = isinstance(error, urllib3.exceptions.NewConnectionError)
        if isinstance(error, urllib3.exceptions.TimeoutError) and not refused:
            raise _too_slow() from error
        raise _no(f"{server.host} could not be reached; is the URL right?") from error
    finally:
        if response is not None:
            response.close()
        pool.close()


def _body(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    limit = settings.DOCUMENT_MAX_BYTES
    body = bytearray()
    while chunk := response.read(CHUNK):
        body += chunk
        if len(body) > limit:
            raise _no(f"The document is larger than {limit // 1_000_000} MB.")
        if time.monotonic() > deadline:
            raise _too_slow()
    return bytes(body)


def _pool(server: Server, address: str, deadline: float) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(total=max(deadline - time.monotonic(), 0.01))
    if server.scheme == "http":
        return urllib3.HTTPConnectionPool(address, server.port, timeout=timeout, maxsize=1)
    return urllib3.HTTPSConnectionPool(
        address,
        server.port,
        timeout=timeout,
        maxsize=1,
        cert_reqs="CERT_REQUIRED",
        ca_certs=certifi.where(),
        server_hostname=server.host,
        assert_hostname=server.host,
    )


def _address(server: Server) -> str:
    """Return an IP address of the server that may be called."""
    try:
        addresses = addresses_of(server)
    except OSError as error:
        raise _no(f"The name {server.host} is not known; is the URL right?") from error
    if not all(map(may_call, addresses)):
        raise _no(f"{server.host} is an address of the inside, from which nothing is fetched.")
    return addresses[0]


def _too_slow() -> Refused:
    return _no(f"The document did not arrive within {SECONDS:.0f} seconds.")


def _no(message: str) -> Refused:
    return Refused(message, field="url", code="not_fetched")
