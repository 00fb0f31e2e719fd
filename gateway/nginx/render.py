"""Renders nginx.conf. Pure. Only operator settings go in, checked by NodeSettings; nothing of a user's."""

import re
from importlib import resources
from itertools import product
from pathlib import Path

from gateway.settings import NodeSettings

GATEWAY = Path(__file__).resolve().parent.parent
TLS_SLOTS = 32
# What the gate tells backends. A client's own headers of these names never pass, however spelt: not with
# underscores either, which frameworks such as WSGI cannot tell from dashes.
OWN_HEADERS = {
    "X-Forwarded-For": "$proxy_add_x_forwarded_for",
    "X-Forwarded-Port": "$server_port",
    "X-Forwarded-Proto": "$scheme",
    "X-Forwarded-Host": "$http_host",
    "X-Request-Id": "$gatehouse_request_id",
    "X-Gatehouse-Subscription": "$gatehouse_subscription_header",
    "X-Gatehouse-Key": "$gatehouse_key_header",
    "X-Api-Key": "",
}


class UnsafeTextError(ValueError):
    """A path that cannot stand in nginx.conf."""


def render(settings: NodeSettings, *, modules: list[Path], user: str = "") -> str:
    """Return nginx.conf for one node.

    `modules` are the dynamic modules to load; `user` is who the workers run as when the master is root.
    """
    template = resources.files("gateway.nginx").joinpath("nginx.conf.template").read_text()
    values = {
        "modules": "\n".join(f"load_module {_quoted(module)};" for module in modules),
        "user": f"user {user};" if user else "",
        "workers": settings.workers,
        "pid": _quoted(settings.pid_file),
        "error_log": _quoted(settings.error_log),
        "temporary": str(settings.temporary),
        "lua": _quoted(f"{GATEWAY / 'lua'}/?.lua;;"),
        "entries_memory": str(settings.entries_memory),
        "counters_memory": str(settings.counters_memory),
        "folder": _quoted(settings.folder),
        "verdicts": _quoted(GATEWAY / "verdicts.json"),
        "max_body": str(settings.max_body),
        "tls_slots": str(TLS_SLOTS),
        "tls_upstreams": "\n".join(_tls_upstream(number) for number in range(1, TLS_SLOTS + 1)),
        "ca_bundle": _quoted(settings.ca_bundle),
        "listen": f"{settings.host}:{settings.port}",
        "control_socket": _quoted(f"unix:{settings.control_socket}"),
        "usage_log": _quoted(settings.usage_log),
        "own_headers": "\n".join(_own_headers()),
    }
    return re.sub(r"@(\w+)@", lambda match: values[match[1]], template)


def _quoted(path: Path | str) -> str:
    text = str(path)
    if re.search(r"[\"'\\${}\x00-\x1f]", text):
        raise UnsafeTextError(
            f"the path {text!r} has characters that nginx.conf cannot hold; use another folder"
        )
    return f'"{text}"'


def _tls_upstream(number: int) -> str:
    return f"""    upstream gate_tls_{number} {{
        server 0.0.0.1;
        balancer_by_lua_block {{ require("balance").balancer() }}
        keepalive 16;
        keepalive_requests 10000;
    }}"""


def _own_headers() -> list[str]:
    lines = []
    for name, value in OWN_HEADERS.items():
        lines.append(f'            proxy_set_header {name} "{value}";')
        lines += [f'            proxy_set_header {other} "";' for other in _spellings(name)[1:]]
    return lines


def _spellings(name: str) -> list[str]:
    """The name with each dash as it is or as an underscore; the usual spelling first."""
    first, *rest = name.split("-")
    return [
        first + "".join(sign + part for sign, part in zip(signs, rest, strict=True))
        for signs in product("-_", repeat=len(rest))
    ]
