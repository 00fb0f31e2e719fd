"""Brings a whole Gatehouse up, in order, and keeps it up."""

import json
import os
import subprocess
import sys
from typing import Any

from portal.embedded.ports import is_free
from portal.embedded.postgres import Postgres
from portal.embedded.privileges import service_command
from portal.embedded.valkey import Valkey
from portal.settings.environment import BASE_DIR, secret_key
from portal.supervisor import services
from portal.supervisor.layout import Layout, write_secret
from portal.supervisor.options import Options
from portal.supervisor.probes import NotReady, database_answers, page_answers, port_answers, wait_for
from portal.supervisor.service import say
from portal.supervisor.services import Addresses
from portal.supervisor.supervisor import Stopped, Supervisor


def launch(options: Options) -> int:
    """Run everything until Ctrl-C or SIGTERM; return the exit code."""
    layout = Layout(options.var)
    try:
        lock = layout.lock()
    except BlockingIOError:
        say("gatehouse", f"another copy runs on {layout.var}; stop it or set GATEHOUSE_VAR")
        return 1
    layout.prepare(options.nodes)
    supervisor = Supervisor()
    supervisor.listen()
    with lock:
        try:
            _Start(options, layout, supervisor).run()
            supervisor.watch()
        except Stopped:
            return 0
        except (NotReady, RuntimeError) as problem:
            say("gatehouse", f"cannot start: {problem}")
            return 1
        finally:
            supervisor.stop()
            layout.ready_file.unlink(missing_ok=True)
    return 0


class _Start:
    """One start-up. Each step needs the one before."""

    def __init__(self, options: Options, layout: Layout, supervisor: Supervisor) -> None:
        self.options = options
        self.layout = layout
        self.supervisor = supervisor
        self.ports = layout.ports()
        self.addresses = Addresses(
            options.host,
            options.portal_port,
            options.gateway_port,
            self.ports["httpbin"],
            options.tls_port,
            options.metrics_port,
        )
        self.env: dict[str, str] = {}

    def run(self) -> None:
        self._check_ports()
        self._start_stores()
        self._start_control_plane()
        self._start_nodes()
        self._say_ready(self._facts())

    def _check_ports(self) -> None:
        wanted = {"GATEHOUSE_PORTAL_PORT": self.options.portal_port}
        for number in range(self.options.nodes):
            wanted[f"GATEHOUSE_GATEWAY_PORT (node {number + 1})"] = self.options.gateway_port + number
            if self.options.tls_port:
                wanted[f"GATEHOUSE_TLS_PORT (node {number + 1})"] = self.options.tls_port + number
            if self.options.metrics_port:
                wanted[f"GATEHOUSE_METRICS_PORT (node {number + 1})"] = self.options.metrics_port + number
        for name, port in wanted.items():
            if not is_free(port):
                raise RuntimeError(f"port {port} is taken by another program; set {name}")

    def _start_stores(self) -> None:
        layout, supervisor = self.layout, self.supervisor
        supervisor.start(services.httpbin(self.addresses))
        database, broker = self.options.database_url, self.options.broker_url
        if not database:
            say("gatehouse", "starting PostgreSQL")
            server = Postgres(
                layout.var / "postgres", self.ports["postgres"], layout.var / "postgres.password"
            )
            server.initialise()
            supervisor.start(services.postgres_service(server))
            database = server.url
        if not broker:
            valkey = Valkey(layout.var / "valkey", self.ports["valkey"])
            valkey.initialise()
            supervisor.start(services.valkey_service(valkey))
            broker = valkey.url
        self._write_environment(database, broker)
        wait_for("PostgreSQL", lambda: database_answers(database), supervisor=supervisor)
        wait_for("the Celery broker", lambda: port_answers(broker), supervisor=supervisor)
        wait_for("httpbin", lambda: port_answers(self.addresses.httpbin), supervisor=supervisor)

    def _write_environment(self, database: str, broker: str) -> None:
        """Keep what other `manage.py` commands on this machine need to reach the same services."""
        shared = {
            # made by these very settings when `up` began; the services may not read its file
            "SECRET_KEY": secret_key(),
            "DATABASE_URL": database,
            "CELERY_BROKER_URL": broker,
            "GATEHOUSE_PORTAL_URL": self.addresses.portal,
            "GATEHOUSE_GATEWAY_URL": self.addresses.gateway(),
            "GATEHOUSE_DEMO": "1" if self.options.demo else "0",
        }
        lines = [f"{name}={value}\n" for name, value in shared.items()]
        write_secret(self.layout.services_file, "".join(lines))
        self.env = services.QUIET | shared | {"GATEHOUSE_VAR": str(self.layout.var)}

    def _start_control_plane(self) -> None:
        say("gatehouse", "migrating the database")
        prepare = ["prepare", "--nodes", str(self.options.nodes)]
        if self.options.demo:
            prepare += ["--httpbin", self.addresses.httpbin]
        self._manage(*prepare)
        for service in (
            services.web(self.addresses, self.env),
            services.worker(self.env),
            services.beat(self.layout, self.env),
        ):
            self.supervisor.start(service)

    def _start_nodes(self) -> None:
        for number in range(1, self.options.nodes + 1):
            token = (self.layout.node(number) / "token").read_text().strip()
            env = services.node_environment(self.layout, self.addresses, number, token)
            self.supervisor.start(services.gate(number, env))
            self.supervisor.start(services.agent(number, env))
            self.supervisor.start(services.runtime(number, env))
        health = f"{self.addresses.portal}/healthz"
        wait_for("the portal", lambda: page_answers(health), supervisor=self.supervisor)
        for number in range(1, self.options.nodes + 1):
            ping = f"{self.addresses.gateway(number)}/ping"
            wait_for(f"gateway node {number}", lambda: page_answers(ping), supervisor=self.supervisor)  # noqa: B023 -- called at once

    def _facts(self) -> dict[str, Any]:
        """Return addresses and what was seeded, once the demo's API is served."""
        facts: dict[str, Any] = json.loads(self.layout.demo_file.read_text())
        facts |= {
            "portal": self.addresses.portal,
            "gateway": self.addresses.gateway(),
            "httpbin": self.addresses.httpbin,
        }
        if facts.get("api_key"):
            example = f"{self.addresses.gateway()}/httpbin/v1/get"
            headers = {"x-api-key": facts["api_key"]}
            facts["example"] = f'curl -H "x-api-key: {facts["api_key"]}" {example}'
            wait_for("the demo's API", lambda: page_answers(example, headers), supervisor=self.supervisor)
        return facts

    def _say_ready(self, facts: dict[str, Any]) -> None:
        write_secret(self.layout.ready_file, json.dumps(facts, indent=2) + "\n")
        for line in ready_lines(facts, self.layout):
            say("gatehouse", line)

    def _manage(self, *arguments: str) -> None:
        command = [sys.executable, str(BASE_DIR / "manage.py"), *arguments]
        done = subprocess.run(
            service_command(command, paths=services.python_paths(), stop=services.STOP),
            env={**os.environ, **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        for line in done.stdout.splitlines():
            say("setup", line)
        if done.returncode != 0:
            raise RuntimeError(f"manage.py {arguments[0]} failed")


def ready_lines(facts: dict[str, Any], layout: Layout) -> list[str]:
    """Return what a person wants to know when all is up."""
    lines = [
        "",
        "Gatehouse is ready.",
        f"  portal     {facts['portal']}/",
        f"  admin      {facts['portal']}/admin/   {facts['admin']['email']}  {facts['admin']['password']}",
    ]
    if facts.get("developer"):
        developer = facts["developer"]
        lines.append(
            f"  developer  {facts['portal']}/console/   {developer['email']}  {developer['password']}"
        )
    lines += [
        f"  outbox     {facts['portal']}/outbox/   (mails, while there is no mail server)",
        f"  gateway    {facts['gateway']}/",
        f"  httpbin    {facts['httpbin']}/",
        f"  REST API   {facts['portal']}/api/v1/docs/   token: {facts['api_token']}",
    ]
    if facts.get("example"):
        lines += ["  try it:", f"  {facts['example']}"]
    lines += [f"  the same facts: {layout.ready_file}", "  Ctrl-C stops everything.", ""]
    return lines
