"""Renders nginx.conf. Pure. Only operator settings go in, checked by NodeSettings; nothing of a user's."""

import re
from importlib import resources
from itertools import product
from pathlib import Path

from gateway.settings import NodeSettings

GATEWAY = Path(__file__).resolve().parent.parent
TLS_SLOTS = 32
RETRY_STATUSES = (502, 503, 504)
# For TLS 1.2: forward secrecy and authenticated encryption only.
TLS_CIPHERS = ":".join(
    f"ECDHE-{kind}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for kind in ("ECDSA", "RSA")
)
# What the gate tells backends. A client's own headers of these names never pass, however spelt: not with
# underscores either, which frameworks such as WSGI cannot tell from dashes.
OWN_HEADERS = {
    # One address: what a client claims to come from is not passed on, many backends believe the first they see.
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Port": "$server_port",
    "X-Forwarded-Proto": "$scheme",
    "X-Forwarded-Host": "$gatehouse_forwarded_host",
    "X-Real-Ip": "",
    "Forwarded": "",
    "X-Request-Id": "$gatehouse_request_id",
    # through how many gates a call has gone, for gate.lua
    "X-Gatehouse-Hops": "$gatehouse_hops",
    "X-Gatehouse-Subscription": "$gatehouse_subscription",
    "X-Gatehouse-Key": "$gatehouse_key",
    # of a client certificate that a domain asked for (tls.lua lets no other pass)
    "X-Gatehouse-Client-Subject": "$ssl_client_s_dn",
    "X-Gatehouse-Client-Serial": "$ssl_client_serial",
    "X-Api-Key": "$gatehouse_backend_key",
}


BEHIND_PROXIES = {"X-Forwarded-Port": "$gatehouse_port", "X-Forwarded-Proto": "$gatehouse_scheme"}


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
        "max_timeout": str(settings.max_timeout),
        "cache_memory": str(settings.cache_memory),
        "tls_slots": str(TLS_SLOTS),
        "verify_rate": str(settings.verify_rate),
        "tls_upstreams": "\n".join(_tls_upstream(number) for number in range(1, TLS_SLOTS + 1)),
        "ca_bundle": _quoted(settings.ca_bundle),
        "listen": f"{settings.host}:{settings.port}",
        "tls_listener": _tls_listener(settings),
        # HTTP/2 streams that are reset at once are cheap for a client, so a connection may not have too many
        "keepalive_requests": "1000" if settings.tls_port else "10000",
        "control_socket": _quoted(f"unix:{settings.control_socket}"),
        "journal": _quoted(settings.journal),
        "journal_size": str(settings.journal_size),
        "request_log": _quoted(settings.request_log),
        "request_log_rate": str(settings.request_log_rate),
        "own_headers": "\n".join(_own_headers(settings)),
        "access_log": _quoted(settings.access_log_folder),
        "access_log_size": str(settings.access_log_size),
        "access_log_files": str(settings.access_log_files),
        "trusted_proxies": "\n".join(_trusted_proxies(settings)),
        "forwarded": "\n".join(_forwarded(settings)),
        "rich_locations": "\n".join(_rich_locations()),
    }
    return re.sub(r"@(\w+)@", lambda match: values[match[1]], template)


def _quoted(path: Path | str) -> str:
    text = str(path)
    if re.search(r"[\"'\\${}\x00-\x1f]", text):
        raise UnsafeTextError(
            f"the path {text!r} has characters that nginx.conf cannot hold; use another folder"
        )
    return f'"{text}"'


def _tls_listener(settings: NodeSettings) -> str:
    """The TLS port, of the same server as the plain one. tls.lua gives each name its certificate."""
    if not settings.tls_port:
        return ""
    # Without the operator's own certificate a name that no domain has gets no handshake: a certificate that
    # is a variable is not looked for before the handshake, where tls.lua takes its place.
    certificate = _quoted(settings.tls_certificate) if settings.tls_certificate else "$gatehouse_none"
    key = _quoted(settings.tls_key) if settings.tls_key else "$gatehouse_none"
    return f"""        listen {settings.host}:{settings.tls_port} ssl http2 default_server;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_certificate_by_lua_block {{ require("tls").handshake() }}
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_ciphers {TLS_CIPHERS};
        ssl_prefer_server_ciphers off;
        # A resumed session would bring the client certificate of another name, or of one that is trusted no more.
        ssl_session_cache off;
        ssl_session_tickets off;
"""


def _tls_upstream(number: int) -> str:
    return f"""    upstream gate_tls_{number} {{
        server 0.0.0.1;
        balancer_by_lua_block {{ require("balance").balancer() }}
        keepalive 16;
        keepalive_requests 10000;
    }}"""


def _own_headers(settings: NodeSettings) -> list[str]:
    lines = []
    for name, value in (OWN_HEADERS | (BEHIND_PROXIES if settings.trusted_proxies else {})).items():
        lines.append(f'        proxy_set_header {name} "{value}";')
        lines += [f'        proxy_set_header {other} "";' for other in _spellings(name)[1:]]
    return lines


def _trusted_proxies(settings: NodeSettings) -> list[str]:
    """Whose X-Forwarded-For is believed. By default nobody's."""
    if not settings.trusted_proxies:
        return []
    lines = [f"        set_real_ip_from {network};" for network in settings.trusted_proxies]
    return [*lines, "        real_ip_header X-Forwarded-For;", "        real_ip_recursive on;"]


def _forwarded(settings: NodeSettings) -> list[str]:
    """What a trusted proxy says of the client's connection."""
    if not settings.trusted_proxies:
        return []
    return [
        "    geo $realip_remote_addr $gatehouse_trusted {",
        "        default 0;",
        *[f"        {network} 1;" for network in settings.trusted_proxies],
        "    }",
        '    map "$gatehouse_trusted$http_x_forwarded_proto" $gatehouse_scheme {',
        "        default $scheme; 1http http; 1https https;",
        "    }",
        '    map "$gatehouse_trusted$http_x_forwarded_port" $gatehouse_port {',
        '        default $server_port; "~^1(?<forwarded_port>[0-9]{1,5})$" $forwarded_port;',
        "    }",
    ]


def _rich_locations() -> list[str]:
    """The locations that rich.lua describes."""
    found = []
    for number in range(2 ** len(RETRY_STATUSES)):
        statuses = [f"http_{status}" for bit, status in enumerate(RETRY_STATUSES) if number & 1 << bit]
        again = " ".join(["error", "timeout", *statuses])
        found.append(_rich_location(f"rich_{number}", again, streamed=False, body="on"))
        found.append(_rich_location(f"stream_{number}", again, streamed=True, body="on"))
    found.append(_rich_location("upload", "error timeout", streamed=False, body="off"))
    found.append(_rich_location("upload_stream", "error timeout", streamed=True, body="off"))
    return found


def _rich_location(name: str, again: str, *, streamed: bool, body: str) -> str:
    if streamed:
        # A WebSocket's answer says to what the connection is upgraded; here, where it may be one, the list is anew.
        passed = "".join(f"proxy_pass_header {name}; " for name in ("Server", "Date", "Upgrade"))
        answer = f"proxy_buffering off;\n            {passed}"
    else:
        answer = 'gzip on;\n            body_filter_by_lua_block { require("rich").body() }'
    return f"""        location @{name} {{
            access_by_lua_block {{ require("rich").access() }}
            header_filter_by_lua_block {{ require("rich").header() }}
            log_by_lua_block {{ require("journal").log() require("rich").log() }}
            {answer}
            proxy_pass $gatehouse_target;
            proxy_request_buffering {body};
            proxy_next_upstream {again};
        }}"""


def _spellings(name: str) -> list[str]:
    """The name with each dash as it is or as an underscore; the usual spelling first."""
    first, *rest = name.split("-")
    return [
        first + "".join(sign + part for sign, part in zip(signs, rest, strict=True))
        for signs in product("-_", repeat=len(rest))
    ]
