import socket as sockets

import pytest

from gateway.agent import addresses as addresses_module
from gateway.agent.addresses import Addresses, hosts_of, look_up
from gateway.agent.problems import Problems
from gateway.agent.store import EntryStore
from gateway.entries import Entry
from tests.gateway.agent.fakes import backend


class Dns:
    """Names and their addresses; what is missing cannot be looked up."""

    def __init__(self):
        self.names = {"one.test": ["192.0.2.1"], "two.test": ["192.0.2.2", "192.0.2.3"]}

    def __call__(self, host):
        if host not in self.names:
            raise sockets.gaierror(-2, "Name or service not known")
        return self.names[host]


@pytest.fixture
def dns():
    return Dns()


@pytest.fixture
def store(folder, problems):
    return EntryStore(folder / "entries.jsonl", problems)


@pytest.fixture
def addresses(folder, store, socket, problems, dns):
    made = Addresses(folder / "addresses.json", store, socket, problems, resolve=dns)
    yield made
    made.close()


def change(*args):
    one = backend(*args)
    return one["kind"], one["key"], one["data"]


def test_hosts_come_from_backends_and_from_the_stages_own_targets():
    target = {"scheme": "https", "host": "two.test", "port": 443, "path": ""}
    operations = {
        "a": {"integration": {"type": "http_proxy", "target": target}},
        "b": {"integration": {"type": "http_proxy", "backend": "b1", "target": None}},
        "c": {"integration": {"target": target | {"host": "192.0.2.9"}}},
        "d": {"integration": {"target": target | {"host": "2001:db8::1"}}},
    }
    assert hosts_of("stage", {"operations": operations}) == {"two.test"}
    assert hosts_of("backend", backend(1, "one.test")["data"]) == {"one.test"}
    assert hosts_of("key", {"id": "k"}) == hosts_of("backend", None) == set()


def test_localhost_is_looked_up_by_the_system():
    assert look_up("localhost")[0] in {"127.0.0.1", "::1"}


async def test_a_new_host_is_pushed_at_once(nginx, addresses):
    await addresses.learn([change(1, "one.test")])
    assert nginx.addresses == {"one.test": ["192.0.2.1"]}


async def test_only_what_changed_is_pushed(nginx, addresses, dns):
    await addresses.learn([change(1, "one.test"), change(2, "two.test", "b2")])
    await addresses.refresh()
    assert nginx.address_pushes == 1
    dns.names["one.test"] = ["192.0.2.77"]
    await addresses.refresh()
    assert nginx.address_pushes == 2
    assert nginx.addresses["one.test"] == ["192.0.2.77"]


async def test_a_failed_look_up_keeps_the_last_good(nginx, addresses, dns, problems):
    await addresses.learn([change(1, "one.test")])
    del dns.names["one.test"]
    await addresses.refresh()
    assert nginx.addresses == {"one.test": ["192.0.2.1"]}
    assert problems.names() == {"address one.test"}
    dns.names["one.test"] = ["192.0.2.1"]
    await addresses.refresh()
    assert problems.names() == set()


async def test_addresses_wait_for_an_nginx_that_is_away(nginx, addresses):
    await nginx.stop()
    await addresses.learn([change(1, "one.test")])
    await nginx.restart()
    await addresses.push()
    assert nginx.addresses == {"one.test": ["192.0.2.1"]}
    await nginx.restart()
    addresses.push_again()
    await addresses.push()
    assert nginx.addresses == {"one.test": ["192.0.2.1"]}


async def test_the_last_good_addresses_survive_a_restart_without_dns(nginx, addresses, store, socket, dns):
    store.apply([Entry.from_dict(backend(1, "one.test"))])
    await addresses.learn([change(1, "one.test")])
    dns.names.clear()
    await nginx.restart()
    again = Addresses(addresses._path, store, socket, Problems(), resolve=dns)
    again.load()
    await again.refresh()
    again.close()
    assert nginx.addresses == {"one.test": ["192.0.2.1"]}


async def test_a_slow_look_up_does_not_hold_a_change_back(nginx, addresses, dns, monkeypatch):
    import asyncio
    import time

    monkeypatch.setattr(addresses_module, "FIRST_LOOKUP_SECONDS", 0.05)

    def slow(host):
        time.sleep(0.3)
        return ["192.0.2.5"]

    addresses._resolve = slow
    started = time.monotonic()
    await addresses.learn([change(1, "slow.test")])
    assert time.monotonic() - started < 0.25
    await asyncio.sleep(0.5)
    assert nginx.addresses == {"slow.test": ["192.0.2.5"]}
