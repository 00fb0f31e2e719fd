"""Backend mTLS: a backend that asks gets its own client certificate; a connection belongs to one of them."""

import ssl
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from gateway.entries import Backend as BackendEntry, ClientTls, Health, Target, WeightedTarget
from gateway.nginx.render import TLS_SLOTS
from portal.embedded.ports import free_port
from tests.gateway.backends import Backend, FakeAgent
from tests.gateway.certificates import authority, leaf
from tests.gateway.node import node_folder, start_nginx
from tests.gateway.world import World, operation, proxy

HOST = "asks.test"


class Asking(Backend):
    """An https backend that asks for a client certificate, and tells whose it saw."""

    def __init__(self, name, *, certificate, trust, required):
        super().__init__(name)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        context.load_verify_locations(trust)
        context.verify_mode = ssl.CERT_REQUIRED if required else ssl.CERT_OPTIONAL
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.clients = {}

    def finish_request(self, request, client_address):
        request.do_handshake()
        shown = request.getpeercert() or {}
        names = {name: value for part in shown.get("subject", ()) for name, value in part}
        self.clients[client_address[1]] = names.get("commonName", "")
        super().finish_request(request, client_address)


@pytest.fixture(scope="module")
def mutual(tmp_path_factory):
    """A node with one worker; `strict` needs a certificate of `clients`, `curious` takes none, too."""
    with ExitStack() as stack:
        files = tmp_path_factory.mktemp("backend-tls")
        root, clients = authority(), authority("Clients")
        trust, _ = root.files(files, "root")
        theirs, _ = clients.files(files, "clients")
        own = leaf(HOST, "other.test", issuer=root).files(files, "own")
        strict = Asking("strict", certificate=own, trust=theirs, required=True)
        stack.callback(strict.stop)
        curious = Asking("curious", certificate=own, trust=theirs, required=False)
        stack.callback(curious.stop)
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port(), workers="1", ca_bundle=trust)
        stack.callback(node.stop)
        agent = FakeAgent(folder / "agent.sock")
        stack.callback(agent.stop)
        node.push_addresses(**{HOST: ["127.0.0.1"], "other.test": ["127.0.0.1"]})
        yield SimpleNamespace(node=node, world=World(node), strict=strict, curious=curious, clients=clients)


def show(made):
    return ClientTls(made.pem, made.private_key) if made else None


def publish(mutual, name, server, made, *, host=HOST, targets=(), **more):
    """Publish a stage whose backend is `server`, to which nodes show `made` (None = nothing)."""
    entry = BackendEntry(
        Target("https", host, server.port), 1000, 5000, targets=list(targets), tls=show(made), **more
    )
    mutual.world.put("backend", name, entry)
    mutual.world.publish(name, {"op": operation("GET", "/", integration=proxy(name))})


def client_of(mutual, server, name):
    """Whom the backend saw at a call."""
    answer = mutual.node.call("GET", f"/{name}")
    assert answer.status == 200, (answer.body, mutual.node.errors()[-700:])
    return server.clients[answer.json["peer"]]


def test_a_backend_that_asks_sees_our_certificate(mutual):
    publish(mutual, "known", mutual.strict, leaf(subject="gatehouse", issuer=mutual.clients))
    assert client_of(mutual, mutual.strict, "known") == "gatehouse"


def test_without_a_certificate_or_with_a_wrong_one_it_refuses_us(mutual):
    publish(mutual, "nobody", mutual.strict, None)
    assert mutual.node.call("GET", "/nobody").status == 502
    publish(mutual, "stranger", mutual.strict, leaf(subject="stranger", issuer=authority("Clients")))
    assert mutual.node.call("GET", "/stranger").status == 502


def test_a_connection_with_one_certificate_is_never_used_for_another(mutual):
    """Round after round, same address, same name: who the backend sees is who we are in each stage."""
    shown = {"a": "client-a", "b": "client-b", "none": ""}
    for name, subject in shown.items():
        made = leaf(subject=subject, issuer=mutual.clients) if subject else None
        publish(mutual, f"as-{name}", mutual.curious, made)
    before = mutual.curious.connections
    for _ in range(5):
        for name, subject in shown.items():
            assert client_of(mutual, mutual.curious, f"as-{name}") == subject
    assert mutual.curious.connections - before == 3  # each is kept


def test_a_new_certificate_is_shown_at_the_next_call(mutual):
    publish(mutual, "renewed", mutual.curious, leaf(subject="old", issuer=mutual.clients))
    assert client_of(mutual, mutual.curious, "renewed") == "old"
    publish(mutual, "renewed", mutual.curious, leaf(subject="new", issuer=mutual.clients))
    assert client_of(mutual, mutual.curious, "renewed") == "new"
    publish(mutual, "renewed", mutual.curious, None)
    assert client_of(mutual, mutual.curious, "renewed") == ""


def test_several_servers_of_one_backend_see_the_same_certificate(mutual):
    targets = [WeightedTarget(Target("https", host, mutual.curious.port), 1) for host in (HOST, "other.test")]
    made = leaf(subject="both", issuer=mutual.clients)
    publish(mutual, "several", mutual.curious, made, targets=targets, health=Health(3, 1000))
    before = len(mutual.curious.tls_names)
    seen = {client_of(mutual, mutual.curious, "several") for _ in range(6)}
    assert seen == {"both"}
    assert len(mutual.curious.tls_names) >= before


def test_names_and_certificates_beyond_the_kept_connections_still_get_their_own(mutual):
    for number in range(TLS_SLOTS + 3):
        publish(mutual, "many", mutual.curious, leaf(subject=f"c{number}", issuer=mutual.clients))
        assert client_of(mutual, mutual.curious, "many") == f"c{number}"


def test_no_key_is_told_by_status_or_log(mutual):
    told = mutual.node.control("GET", "/status").body.decode() + mutual.node.errors()
    assert "PRIVATE KEY" not in told
