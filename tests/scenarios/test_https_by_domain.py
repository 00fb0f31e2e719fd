"""From the console's verbs to a TLS handshake: what a provider gives a domain is what its clients meet."""

import json
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from django.test import Client as Browser

from apis.addresses import map_base_path
from apis.backends import change_backend, create_backend
from apis.client_tls import generate_client_certificate
from apis.domains import change_domain, create_domain, delete_domain
from apis.publish import deploy
from apis.versions import create_api, create_version
from gateway.entries import Entry
from portal.embedded.ports import free_port
from tests.factories import make_organization
from tests.gateway.backends import Backend, FakeAgent
from tests.gateway.blackbox.test_backend_tls import Asking
from tests.gateway.certificates import authority, leaf
from tests.gateway.https import Client
from tests.gateway.node import node_folder, start_nginx
from tests.nodes.factories import make_node, signed_in

pytestmark = pytest.mark.django_db
HOST, BACKEND = "api.alice.example.com", "localhost"
DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Shop", "version": "1"},
    "paths": {"/items": {"get": {"responses": {"200": {"description": "ok"}}}}},
}


@pytest.fixture
def house(tmp_path):
    """A node with https, and `carry`, which hands it what the control plane has for nodes."""
    with ExitStack() as stack:
        root = authority()
        trust, _ = root.files(tmp_path, "root")
        backend = Backend("one")
        stack.callback(backend.stop)
        folder = stack.enter_context(node_folder())
        node = start_nginx(folder, free_port(), tls_port=free_port(), ca_bundle=trust)
        stack.callback(node.stop)
        agent = FakeAgent(folder / "agent.sock")
        stack.callback(agent.stop)
        node.push_addresses(**{BACKEND: ["127.0.0.1"]})
        headers = signed_in(make_node()[1])

        def carry():
            found = Browser().get(f"/nodes/v1/entries?after={carry.after}", headers=headers).json()
            answer = node.push([Entry.from_dict(each) for each in found["entries"]])
            assert answer.status == 200, answer.body
            carry.after = found["generation"]

        carry.after = 0
        yield SimpleNamespace(
            root=root, files=tmp_path, node=node, carry=carry, backend=backend,
            client=Client(node.settings.tls_port, trust),
        )  # fmt: skip


def publish(organization, url):
    backend = create_backend(organization=organization, name="Shop", url=url, actor=None)
    api = create_api(organization=organization, name="Shop", actor=None)
    version = create_version(
        api=api, name="v1", document=json.dumps(DOCUMENT), backend=backend, key_required=False, actor=None
    )
    deployment = deploy(version=version, actor=None)
    return backend, deployment.stages.get()


def test_a_provider_serves_her_domain_and_then_asks_clients_for_certificates(house):
    alice = make_organization()
    _, stage = publish(alice, f"http://127.0.0.1:{house.backend.port}")
    made = leaf(HOST, issuer=house.root)
    domain = create_domain(
        organization=alice, host=HOST, certificate=made.pem, private_key=made.private_key, actor=None
    )
    mapping = map_base_path(stage=stage, host=HOST, base_path="shop", actor=None)
    house.carry()
    assert house.client.call("/shop/items", HOST).status == 200

    clients = authority("Clients")
    change_domain(domain=domain, client_ca=clients.pem, actor=None)
    house.carry()
    shown = leaf(subject="bob", issuer=clients).files(house.files, "bob")
    assert house.client.call("/shop/items", HOST).status == 403
    assert house.node.call("GET", "/shop/items", host=HOST).status == 403
    seen = house.client.call("/shop/items", HOST, certificate=shown).json
    assert seen["headers"]["x-gatehouse-client-subject"] == "CN=bob"

    mapping.delete()
    delete_domain(domain=domain, actor=None)
    house.carry()
    with pytest.raises(OSError, match="HANDSHAKE_FAILURE"):
        house.client.connect(HOST)


def test_a_generated_client_certificate_is_what_the_backend_trusts(house):
    alice = make_organization()
    own = leaf(BACKEND, issuer=house.root).files(house.files, "backend")
    backend, _ = publish(alice, "https://localhost")
    made = generate_client_certificate(backend=backend, actor=None)
    (house.files / "trust.pem").write_text(made.client_certificate)
    asking = Asking("asking", certificate=own, trust=house.files / "trust.pem", required=True)
    try:
        change_backend(backend=made, url=f"https://{BACKEND}:{asking.port}", actor=None)
        house.carry()
        answer = house.node.call("GET", "/shop/v1/items")
        assert answer.status == 200, house.node.errors()[-500:]
        assert asking.clients[answer.json["peer"]] == f"gatehouse {backend.pk}"
    finally:
        asking.stop()
