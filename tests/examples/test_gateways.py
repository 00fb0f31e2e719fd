"""The examples' gateways ask a real node: nginx (auth_request), Envoy (ext_authz) and Caddy (forward_auth)."""

import contextlib
import http.client
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.entries import Throttle
from portal.embedded.ports import free_port
from tests.gateway.desk import TOKEN, Desk
from tests.gateway.node import Answer, node_folder, read, wait_until

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
WHEELS = ROOT / ".venv-peers" / "bin"


def replaced(text: str, changes: dict[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, f"the example has no {old!r}"
        text = text.replace(old, new)
    return text


def ports(desk: Desk, gatehouse: int, listen: int, mark: str) -> dict[str, str]:
    numbers = {"8080": gatehouse, "5000": desk.gate.backend.port, "8081": listen}
    return {mark.format(old): mark.format(new) for old, new in numbers.items()}


def nginx(
    desk: Desk, folder: Path, name: str, gatehouse: int, listen: int
) -> tuple[list[str], dict[str, str]]:
    changes = ports(desk, gatehouse, listen, "127.0.0.1:{}")
    changes |= {"gat_PUT_YOUR_TOKEN_HERE": TOKEN, "api=httpbin": f"api={name}"}
    text = replaced((EXAMPLES / "nginx-auth-request" / "nginx.conf").read_text(), changes)
    (folder / "nginx.conf").write_text(text)
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    return [program, "-e", "error.log", "-p", str(folder), "-c", "nginx.conf"], {}


def envoy(
    desk: Desk, folder: Path, name: str, gatehouse: int, listen: int
) -> tuple[list[str], dict[str, str]]:
    changes = ports(desk, gatehouse, listen, "port_value: {}")
    changes |= {"gat_PUT_YOUR_TOKEN_HERE": TOKEN, "httpbin/v1": f"{name}/v1"}
    text = replaced((EXAMPLES / "envoy-ext-authz" / "envoy.yaml").read_text(), changes)
    (folder / "envoy.yaml").write_text(text)
    command = [str(WHEELS / "envoy"), "-c", str(folder / "envoy.yaml"), "--concurrency", "1"]
    return [*command, "--disable-hot-restart", "-l", "error"], {}


def caddy(
    desk: Desk, folder: Path, name: str, gatehouse: int, listen: int
) -> tuple[list[str], dict[str, str]]:
    file = EXAMPLES / "caddy-forward-auth" / "Caddyfile"
    command = [str(WHEELS / "caddy"), "run", "--adapter", "caddyfile", "--config", str(file)]
    return command, {
        "PORT": str(listen),
        "GATEHOUSE": f"127.0.0.1:{gatehouse}",
        "BACKEND": f"127.0.0.1:{desk.gate.backend.port}",
        "API": name,
        "GATEHOUSE_TOKEN": TOKEN,
        "HOME": str(folder),
    }


GATEWAYS = {"nginx": nginx, "envoy": envoy, "caddy": caddy}


@contextlib.contextmanager
def running(desk: Desk, name: str, api: str, gatehouse: int | None = None) -> Iterator[Callable[..., Answer]]:
    """Start an example's gateway in front of the desk's backend; yields a function that calls it."""
    if name != "nginx" and not (WHEELS / name).exists():
        pytest.skip(f"{name} is not installed; deploy/setup.sh dev installs it")
    listen = free_port()
    with node_folder() as folder:
        folder.mkdir(mode=0o755)
        command, env = GATEWAYS[name](desk, folder, api, gatehouse or desk.node.settings.port, listen)
        log = folder / "log"
        with log.open("wb") as out:
            process = subprocess.Popen(command, env={**os.environ, **env}, stdout=out, stderr=out, cwd=folder)
        try:
            wait_until(lambda: process.poll() is not None or _answers(listen), seconds=20, what=name)
            assert process.poll() is None, log.read_text()
            yield lambda method, path, **more: call(listen, method, path, **more)
        finally:
            process.terminate()
            process.wait(20)


def call(port: int, method: str, path: str, **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with contextlib.closing(connection):
        connection.request(method, path, headers=named)
        return read(connection.getresponse())


def _answers(port: int) -> bool:
    try:
        return call(port, "GET", "/").status > 0
    except (OSError, http.client.HTTPException):
        return False


def sell(desk: Desk, **more: Throttle) -> SimpleNamespace:
    return desk.sell(**more)


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_gateway_lets_good_keys_pass_and_no_others(desk: Desk, name: str) -> None:
    sold = sell(desk)
    with running(desk, name, sold.name) as ask:
        passed = ask("GET", "/orders/7?x=1", x_api_key=sold.key)
        assert (passed.status, passed.json["path"]) == (200, "/orders/7?x=1")
        seen = passed.json["headers"]
        assert seen["x-consumer-id"] == "app0000001"
        assert seen["x-credential-identifier"] == f"key-s-{sold.name}"
        assert "x-api-key" not in seen
        assert TOKEN not in str(passed.json)
        before = len(desk.gate.backend.seen)
        assert ask("GET", "/orders/7").status == 401
        assert ask("GET", "/orders/7", x_api_key="secret").status == 401
        assert ask("DELETE", "/orders/7", x_api_key=sold.key[:-1] + "_").status == 401
        assert len(desk.gate.backend.seen) == before


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_gateway_tells_who_is_too_fast_when_to_come_back(desk: Desk, name: str) -> None:
    sold = sell(desk, throttle=Throttle(rate=0.1, burst=2))
    with running(desk, name, sold.name) as ask:
        answers = [ask("GET", "/orders/7", x_api_key=sold.key) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        assert 0 < int(answers[2].headers["retry-after"]) <= 10
        assert answers[2].headers["ratelimit"].startswith('"plan";r=0')
        assert answers[2].headers["x-gatehouse-code"] == "RATE_LIMITED"


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_clients_own_headers_do_not_let_it_in(desk: Desk, name: str) -> None:
    sold, other = sell(desk, throttle=Throttle(rate=0.001, burst=1)), sell(desk)
    bound = desk.sell(ips=["10.0.0.0/8"])
    with running(desk, name, sold.name) as ask:
        forged = {"x_gatehouse_api": f"{other.name}?mode=check", "authorization": "Bearer gat_mine_mine"}
        assert ask("GET", "/orders/7", x_api_key=other.key, **forged).status == 403
        statuses = [ask("GET", "/orders/7?mode=check", x_api_key=sold.key, **forged).status for _ in range(2)]
        assert statuses == [200, 429]
    with running(desk, name, bound.name) as ask:
        assert ask("GET", "/orders/7", x_api_key=bound.key, x_forwarded_for="10.1.2.3").status == 403


@pytest.mark.parametrize("name", GATEWAYS)
def test_a_host_that_is_another_api_lets_nobody_in(desk: Desk, name: str) -> None:
    from tests.gateway.world import operation

    desk.world.backend("backend", "127.0.0.1", desk.gate.backend.port)
    desk.world.publish("trap", {"op": operation("ANY", "/{proxy+}")}, at="trap.example.com|")
    sold = sell(desk)
    with running(desk, name, sold.name) as ask:
        assert ask("GET", "/orders/7", host="trap.example.com").status == 401


@pytest.mark.parametrize(("name", "status"), [("nginx", 503), ("envoy", 503), ("caddy", 502)])
def test_without_a_node_nobody_gets_in(desk: Desk, name: str, status: int) -> None:
    sold = sell(desk)
    before = len(desk.gate.backend.seen)
    with running(desk, name, sold.name, gatehouse=free_port()) as ask:
        assert ask("GET", "/orders/7", x_api_key=sold.key).status == status
    assert len(desk.gate.backend.seen) == before
