"""Lines of the request log as the gate writes them -> RequestLine. The fields' order is nginx.conf's."""

import re
from urllib.parse import unquote

from gateway.agent.masking import masked
from gateway.request_log import RequestLine

_FIELDS = 23
_NUMBER = re.compile(r"\d+\.\d+")


def parse(raw: bytes) -> RequestLine | None:
    """Read one line; None for what is none."""
    values = raw.decode("utf-8", "replace").replace("\0", "?").split("\t", _FIELDS - 1)
    if len(values) != _FIELDS:
        return None
    try:
        return _line(values)
    except ValueError:
        return None


def _line(values: list[str]) -> RequestLine:
    (
        identity, msec, subscription, key, route, status, bytes_out, bytes_in, latency, verdict, flags,
        backend, connect, header, tries, why, policy, left, key_parameter, address, method, host, uri,
    ) = values  # fmt: skip
    stage, operation = route.split(" ", 1)
    path, query = masked(uri, unquote(key_parameter))
    return RequestLine(
        id=identity,
        at=float(msec),
        subscription=_known(subscription),
        key=_known(key),
        stage=_known(stage),
        operation=_known(operation),
        status=int(status),
        bytes_out=int(bytes_out),
        bytes_in=int(bytes_in),
        latency_ms=round(float(latency) * 1_000),
        verdict=_known(verdict),
        flags=_known(flags),
        backend_ms=_sum(backend),
        connect_ms=_sum(connect),
        header_ms=_sum(header),
        tries=_known(tries)[:60],
        why=why[:120],
        limit_policy=policy[:300],
        limit_left=left[:300],
        address=address[:45],
        method=method[:20],
        host=host[:253],
        path=path,
        query=query,
    )


def _known(text: str) -> str:
    return "" if text == "-" else text


def _sum(times: str) -> int | None:
    """Milliseconds of all tries: `0.001, 0.010` is 11."""
    found = _NUMBER.findall(times)
    return round(sum(map(float, found)) * 1_000) if found else None
