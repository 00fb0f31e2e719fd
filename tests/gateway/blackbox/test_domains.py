"""Custom domains: each name gets its own certificate, chosen at the handshake, without a reload."""

import json
import shutil
import ssl
import threading
from contextlib import ExitStack, closing
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.entries import Certificate, Entry, Quota
from portal.embedded.ports import free_port
from tests.gateway.backends import Backend, FakeAgent
from tests.gateway.certificates import authority, leaf
from tests.gateway.https import Client, ask
from tests.gateway.node import node_folder, start_nginx
from tests.gateway.world import World, operation

needs_curl = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A node with a TLS port; stage `open` answers at `/open/...` on any host that no mapping claims."""
    with ExitStack() as stack:
        files = tmp_path_factory.mktemp("domains")
        root = authority()
        trust, _ = root.files(files, "root")
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port(), tls_port=free_port())
        stack.callback(node.stop)
        agent = FakeAgent(folder / "agent.sock")
        stack.callback(agent.stop)
        backend = Backend("one")
        stack.callback(backend.stop)
        world = World(node)
        world.backend("backend", "127.0.0.1", backend.port)
        world.publish("open", {"op-any": operation("ANY", "/{proxy+}")})
        client = Client(node.settings.tls_port, trust)
        yield SimpleNamespace(
            node=node, world=world, root=root, client=client, files=files, agent=agent, backend=backend
        )


def install(tls, host, *, names=(), **more):
    """Give a host a fresh certificate; returns its DER."""
    made = leaf(*(names or (host,)), issuer=tls.root)
    tls.world.put("certificate", host, Certificate(made.pem, made.private_key, **more))
    return made.certificate.public_bytes(Encoding.DER)


def test_each_of_fifty_domains_shows_its_own_certificate_and_nginx_is_not_reloaded(tls):
    workers = tls.node.workers()
    installed = {f"d{number}.test": install(tls, f"d{number}.test") for number in range(50)}
    for host, certificate in installed.items():
        assert tls.client.shown(host) == certificate
        assert tls.client.call("/open/x", host).json["headers"]["x-forwarded-host"] == host
    assert len(set(installed.values())) == 50
    assert tls.node.workers() == workers


def test_a_wildcard_covers_one_label_and_an_exact_domain_comes_before_it(tls):
    wild = install(tls, "*.wild.test")
    exact = install(tls, "api.wild.test")
    assert tls.client.shown("any.wild.test") == wild
    assert tls.client.shown("ANY.Wild.Test") == wild
    assert tls.client.shown("api.wild.test") == exact
    for name in ("wild.test", "a.b.wild.test"):
        with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
            tls.client.connect(name)


def test_a_name_that_no_domain_has_gets_no_handshake(tls):
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        tls.client.connect("nobody.test")
    nameless = tls.client.context()
    nameless.check_hostname = False
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        tls.client.connect(None, context=nameless)


def test_a_removed_domain_gets_no_handshake(tls):
    install(tls, "gone.test")
    assert tls.client.call("/open/x", "gone.test").status == 200
    tls.world.put("certificate", "gone.test", None)
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        tls.client.connect("gone.test")


def test_a_certificate_that_has_expired_is_the_clients_to_refuse(tls):
    made = leaf("old.test", issuer=tls.root, days=-1)
    tls.world.put("certificate", "old.test", Certificate(made.pem, made.private_key))
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        tls.client.connect("old.test")


def test_a_certificate_below_an_intermediate_authority_comes_with_its_chain(tls):
    middle = authority("Middle", issuer=tls.root)
    made = leaf("chain.test", issuer=middle)
    tls.world.put("certificate", "chain.test", Certificate(made.pem, made.private_key))
    assert tls.client.call("/open/x", "chain.test").status == 200


def test_old_versions_of_tls_are_refused(tls):
    install(tls, "modern.test")
    old = tls.client.context()
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        tls.client.connect("modern.test", context=old)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_never_resumed(tls, version):
    install(tls, "fresh.test")
    context = tls.client.context()
    context.minimum_version = context.maximum_version = version
    with closing(tls.client.connect("fresh.test", context=context)) as first:
        assert ask(first, "/open/x", "fresh.test").status == 200
        assert first.sock.version() == version.name.replace("_", ".")
        session = first.sock.session
    with closing(tls.client.connect("fresh.test", context=context, session=session)) as second:
        assert ask(second, "/open/x", "fresh.test").status == 200
        assert not second.sock.session_reused


def test_a_certificate_changes_under_load_without_a_failed_call(tls):
    install(tls, "busy.test")
    over, failures, calls = threading.Event(), [], []

    def call(kept):
        try:
            connection = tls.client.connect("busy.test")
            while not over.is_set():
                if not kept:
                    connection.close()
                    connection = tls.client.connect("busy.test")
                calls.append(ask(connection, "/open/x", "busy.test").status)
            connection.close()
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=call, args=(number % 2 == 0,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        newest = install(tls, "busy.test")
        assert tls.client.shown("busy.test") == newest
        over.wait(0.05)
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert set(calls) == {200}
    assert len(calls) > 20


def test_the_backend_learns_that_the_call_came_over_tls(tls):
    install(tls, "told.test")
    seen = tls.client.call("/open/x", "told.test", headers={"X-Forwarded-Proto": "http"}).json["headers"]
    assert seen["x-forwarded-proto"] == "https"
    assert seen["x-forwarded-port"] == str(tls.node.settings.tls_port)
    assert tls.node.call("GET", "/open/x").json["headers"]["x-forwarded-proto"] == "http"


@needs_curl
def test_http_2_carries_keys_quotas_and_bodies(tls):
    install(tls, "two.test")
    tls.world.publish("keyed", {"op": operation("ANY", "/{proxy+}", key_required=True)})
    key = tls.world.subscribe("sub-two", ["keyed"], quota=Quota(5, "MONTH"))
    tls.agent.allow("sub-two", 5)
    (tls.files / "body").write_bytes(b"x" * 300_000)
    sent = ["--http2", "-w", "%{http_version} %{http_code}\n", "-o", "/dev/null"]
    address = "https://two.test/keyed/x"
    for _ in range(5):
        done = tls.client.curl(*sent, "-H", f"x-api-key: {key}", "-T", str(tls.files / "body"), address)
        assert done.stdout == "2 200\n", done.stderr
    assert tls.backend.seen[-1]["body_length"] == 300_000
    assert tls.client.curl(*sent, "-H", f"x-api-key: {key}", address).stdout == "2 429\n"
    assert tls.client.curl(*sent, address).stdout == "2 403\n"


@needs_curl
def test_many_streams_of_one_http_2_connection_are_calls_of_their_own(tls):
    install(tls, "streams.test")
    before = len(tls.node.usage())
    addresses = [f"https://streams.test/open/x?sleep=0.05&n={number}" for number in range(30)]
    silent = [part for address in addresses for part in ("-o", "/dev/null", address)]
    done = tls.client.curl("--http2", "--parallel", "-w", "%{http_version} %{http_code}\n", *silent)
    assert done.stdout.split("\n")[:-1] == ["2 200"] * 30, done.stderr
    assert len(tls.node.usage_after(before + 29)) >= 1


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("certificate", "no PEM", "data.certificate is no certificate in PEM"),
        ("private_key", "no PEM", "data.private_key is no private key in PEM"),
        ("client_ca", "no PEM", "data.client_ca is no certificate in PEM"),
    ],
)
def test_an_entry_that_cannot_be_used_is_refused_and_the_old_one_stays(tls, field, value, reason):
    kept = install(tls, "bad.test")
    made = leaf("bad.test", issuer=tls.root)
    data = {"certificate": made.pem, "private_key": made.private_key, "client_ca": "", field: value}
    answer = tls.node.push([Entry("certificate", "bad.test", tls.world.generation + 1, data)])
    assert (answer.status, answer.json["error"]) == (400, reason)
    assert tls.client.shown("bad.test") == kept


def test_no_private_key_is_told_by_status_or_log(tls):
    install(tls, "quiet.test")
    assert tls.client.call("/open/x", "quiet.test").status == 200
    told = json.dumps(tls.node.control("GET", "/status").json) + tls.node.errors()
    assert "PRIVATE KEY" not in told


def test_the_operators_certificate_is_shown_to_names_that_no_domain_has(tls):
    own = leaf("gate.test", issuer=tls.root)
    certificate, key = own.files(tls.files, "own")
    with node_folder() as folder:
        node = start_nginx(
            folder, free_port(), tls_port=free_port(), tls_certificate=certificate, tls_key=key
        )
        try:
            client = Client(node.settings.tls_port, tls.client.trust)
            assert client.shown("gate.test") == own.certificate.public_bytes(Encoding.DER)
            made = leaf("mine.test", issuer=tls.root)
            World(node).put("certificate", "mine.test", Certificate(made.pem, made.private_key))
            assert client.shown("mine.test") == made.certificate.public_bytes(Encoding.DER)
        finally:
            node.stop()
