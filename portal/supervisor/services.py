"""The processes of one Gatehouse, as services for the supervisor."""

import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from portal.embedded import postgres, valkey
from portal.settings.environment import BASE_DIR
from portal.supervisor.layout import Layout
from portal.supervisor.service import Service

# Stop order: the agent gives unspent quota back while its nginx runs; what counts are written to stops last.
AGENT, GATE, CONTROL, STORE = range(4)
STOP = signal.SIGTERM
# A service must not write beside the code, which it may not own.
QUIET = {"PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
HTTPBIN_PYTHON = BASE_DIR / ".venv-httpbin" / "bin" / "python"


@dataclass(frozen=True)
class Addresses:
    """Where this copy listens. `postgres` and `valkey` are None when the operator brings her own."""

    host: str
    portal_port: int
    gateway_port: int
    httpbin_port: int
    tls_port: int = 0  # 0 = none
    metrics_port: int = 0  # 0 = none

    @property
    def portal(self) -> str:
        return f"http://{self.host}:{self.portal_port}"

    @property
    def httpbin(self) -> str:
        return f"http://127.0.0.1:{self.httpbin_port}"

    def gateway(self, number: int = 1) -> str:
        return f"http://{self.host}:{self.gateway_port + number - 1}"


def postgres_service(server: postgres.Postgres) -> Service:
    return Service("postgres", server.command(), STORE, stop=postgres.STOP, wrapped=True)


def valkey_service(server: valkey.Valkey) -> Service:
    return Service("valkey", server.command(), STORE, stop=valkey.STOP, wrapped=True)


def web(addresses: Addresses, env: dict[str, str]) -> Service:
    """The web process. Each node's long poll holds a thread, so there are more threads than cores."""
    command = [
        *python("-m", "granian"), "--interface", "wsgi", "--host", addresses.host,
        "--port", str(addresses.portal_port), "--workers", "1", "--blocking-threads", "24",
        "--workers-kill-timeout", "2", "--no-ws", "--log-level", "error", "portal.wsgi:application",
    ]  # fmt: skip
    return Service("web", command, CONTROL, env=env, paths=python_paths())


def worker(env: dict[str, str]) -> Service:
    command = python(
        "-m", "celery", "--quiet", "-A", "portal", "worker", "--pool", "threads", "--concurrency", "4",
        "--loglevel", "warning", "--without-gossip", "--without-mingle",
    )  # fmt: skip
    return Service("worker", command, CONTROL, env=env, paths=python_paths())


def beat(layout: Layout, env: dict[str, str]) -> Service:
    command = python(
        "-m", "celery", "--quiet", "-A", "portal", "beat", "--loglevel", "warning",
        "--schedule", str(layout.run / "beat-schedule"), "--pidfile", "",
    )  # fmt: skip
    return Service("beat", command, CONTROL, env=env, paths=python_paths())


def httpbin(addresses: Addresses) -> Service:
    """The demo's backend, which nobody here wrote."""
    command = [
        str(HTTPBIN_PYTHON), "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1",
        "--port", str(addresses.httpbin_port), "--workers", "1", "--blocking-threads", "16",
        "--workers-kill-timeout", "1", "--log-level", "error", "httpbin:app",
    ]  # fmt: skip
    return Service("httpbin", command, GATE, env=QUIET, paths=python_paths())


def gate(number: int, env: dict[str, str]) -> Service:
    command = python("-m", "gateway.nginx")
    return Service(_numbered("gate", number), command, GATE, env=env, paths=python_paths())


def agent(number: int, env: dict[str, str]) -> Service:
    command = python("-m", "gateway.agent")
    return Service(_numbered("agent", number), command, AGENT, env=env, paths=python_paths())


def runtime(number: int, env: dict[str, str]) -> Service:
    """Asks Lambda authorizers for the gate; the AWS variables of the operator's environment are its credentials."""
    command = python("-m", "gateway.runtime")
    return Service(_numbered("runtime", number), command, GATE, env=env, paths=python_paths())


def node_environment(layout: Layout, addresses: Addresses, number: int, token: str) -> dict[str, str]:
    """What a gateway node needs to know; see gateway/settings.py."""
    return QUIET | {
        "GATEHOUSE_NODE_DIR": str(layout.node(number)),
        "GATEHOUSE_CONTROL_URL": addresses.portal,
        "GATEHOUSE_NODE_TOKEN": token,
        "GATEHOUSE_GATEWAY_HOST": addresses.host,
        "GATEHOUSE_GATEWAY_PORT": str(addresses.gateway_port + number - 1),
        "GATEHOUSE_TLS_PORT": str(addresses.tls_port + number - 1) if addresses.tls_port else "",
        "GATEHOUSE_METRICS_PORT": str(addresses.metrics_port + number - 1) if addresses.metrics_port else "",
    }


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]


def python_paths() -> list[Path]:
    return [Path(sys.executable).resolve(), BASE_DIR]


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"
