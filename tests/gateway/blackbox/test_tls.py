"""https backends: verified, and a connection kept to one name is never used for another."""

import datetime
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateway.entries import Backend, Policy, Retries, Target, WeightedTarget
from gateway.nginx.render import TLS_SLOTS
from portal.embedded.ports import free_port
from tests.gateway.backends import Backend as Server, FakeAgent
from tests.gateway.node import node_folder, start_nginx
from tests.gateway.world import World, operation, proxy

NAMES = [f"backend-{number}.test" for number in range(TLS_SLOTS + 4)]


def certificate(names, *, issuer=None):
    """Make a key and a certificate for `names`; without an issuer, a CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
    )
    return key, builder.sign(issuer[0] if issuer else key, hashes.SHA256())


def write(folder, name, key, made):
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.key").write_bytes(private)
    (folder / f"{name}.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / f"{name}.pem", folder / f"{name}.key"


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A node with one worker that trusts our CA; backend `good` for all NAMES, `foreign` by another CA."""
    with ExitStack() as stack:
        files = tmp_path_factory.mktemp("tls")
        authority, stranger = certificate(["ca.test"]), certificate(["other-ca.test"])
        bundle, _ = write(files, "ca", *authority)
        names = [*NAMES, "*.several.test"]
        shown = write(files, "good", *certificate(names, issuer=authority))
        good = Server("good", certificate=shown)
        stack.callback(good.stop)
        foreign = Server("foreign", certificate=write(files, "foreign", *certificate(NAMES, issuer=stranger)))
        stack.callback(foreign.stop)
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port(), workers="1", ca_bundle=bundle)
        stack.callback(node.stop)
        agent = FakeAgent(folder / "agent.sock")
        stack.callback(agent.stop)
        yield SimpleNamespace(node=node, world=World(node), good=good, foreign=foreign, files=shown)


def publish(tls, name, host, port):
    tls.node.push_addresses(**{host: ["127.0.0.1"]})
    tls.world.backend(name, host, port, scheme="https")
    tls.world.publish(name, {"op": operation("GET", "/", integration=proxy(name))})


def publish_several(tls, name, servers, policy=None):
    """A backend of several (host, port) servers."""
    tls.node.push_addresses(**{host: ["127.0.0.1"] for host, _ in servers})
    targets = [WeightedTarget(Target("https", host, port)) for host, port in servers]
    backend = Backend(target=targets[0].target, targets=targets, connect_timeout_ms=1000, timeout_ms=5000)
    tls.world.put("backend", name, backend)
    tls.world.publish(name, {"op": operation("GET", "/", integration=proxy(name), policy=policy)})


def test_connections_to_several_servers_are_kept(tls):
    """The first test: later ones use up the blocks that keep connections."""
    other = Server("other", certificate=tls.files)
    publish_several(tls, "several-kept", [("a.several.test", tls.good.port), ("b.several.test", other.port)])
    for _ in range(4):
        tls.node.call("GET", "/several-kept")
    before = tls.good.connections + other.connections
    assert {tls.node.call("GET", "/several-kept").json["backend"] for _ in range(10)} == {"good", "other"}
    assert tls.good.connections + other.connections == before
    other.stop()


def test_names_at_one_address_never_share_a_connection(tls):
    """Round after round through all names: each call arrives on a connection that was opened for its name."""
    for number, host in enumerate(NAMES):
        publish(tls, f"name-{number}", host, tls.good.port)
    of_connection = {}
    for _ in range(4):
        for number, host in enumerate(NAMES):
            seen = tls.node.call("GET", f"/name-{number}").json
            assert seen["headers"]["host"] == f"{host}:{tls.good.port}"
            assert of_connection.setdefault(seen["peer"], host) == host
    assert set(NAMES) <= set(tls.good.tls_names)


def test_the_connection_to_a_name_is_kept(tls):
    publish(tls, "kept", NAMES[0], tls.good.port)
    tls.node.call("GET", "/kept")
    before = tls.good.connections
    assert [tls.node.call("GET", "/kept").status for _ in range(10)] == [200] * 10
    assert tls.good.connections == before


def test_a_certificate_of_an_unknown_authority_is_refused(tls):
    publish(tls, "foreign", NAMES[1], tls.foreign.port)
    answer = tls.node.call("GET", "/foreign")
    assert (answer.status, answer.json) == (502, {"message": "Network error communicating with endpoint"})


def test_a_certificate_for_another_name_is_refused(tls):
    publish(tls, "wrong", "wrong.test", tls.good.port)
    assert tls.node.call("GET", "/wrong").status == 502


def test_servers_of_one_backend_at_one_address_never_share_a_connection(tls):
    hosts = ["one.several.test", "two.several.test"]
    publish_several(tls, "several-same", [(host, tls.good.port) for host in hosts])
    of_connection = {}
    for _ in range(10):
        seen = tls.node.call("GET", "/several-same").json
        name = seen["headers"]["host"].partition(":")[0]
        assert of_connection.setdefault(seen["peer"], name) == name
    assert set(of_connection.values()) == set(hosts)
    assert set(hosts) <= set(tls.good.tls_names)


def test_another_try_shows_the_name_of_its_own_server(tls):
    policy = Policy(retries=Retries(attempts=1, on=["error"]))
    servers = [("dead.several.test", free_port()), ("alive.several.test", tls.good.port)]
    publish_several(tls, "several-dead", servers, policy)
    for _ in range(6):
        answer = tls.node.call("GET", "/several-dead")
        assert (answer.status, answer.json["headers"]["host"]) == (200, f"alive.several.test:{tls.good.port}")
    assert "dead.several.test" not in tls.good.tls_names
