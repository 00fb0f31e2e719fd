"""Client mTLS: a domain with a trust store takes calls from its own clients only, whichever way they come."""

from contextlib import closing

import pytest

from accounts.secret_text import new_secret
from gateway.entries import Certificate
from tests.gateway.blackbox.test_domains import tls  # noqa: F401 -- a fixture
from tests.gateway.certificates import authority, leaf
from tests.gateway.https import Client, ask

FORBIDDEN = (403, {"message": "Forbidden"}, "AccessDeniedException")


@pytest.fixture(scope="module")
def mutual(tls):  # noqa: F811 -- the fixture
    """`tls` with the domain `mutual.test`, which trusts `clients`, and `plain.test`, which asks for nothing."""
    tls.clients = authority("Clients")
    tls.put_trust = lambda trust: _domain(tls, "mutual.test", client_ca=trust)
    tls.put_trust(tls.clients.pem)
    _domain(tls, "plain.test")
    tls.good = _client(tls, "good", issuer=tls.clients)
    return tls


def _domain(tls, host, **more):  # noqa: F811 -- the fixture
    made = leaf(host, issuer=tls.root)
    tls.world.put("certificate", host, Certificate(made.pem, made.private_key, **more))


def _client(tls, name, **more):  # noqa: F811 -- the fixture
    return leaf(subject=name, **more).files(tls.files, f"client-{name}")


def outcome(answer):
    return answer.status, answer.json, answer.headers.get("x-amzn-errortype")


def test_a_client_with_a_certificate_of_the_trust_store_is_served(mutual):
    seen = mutual.client.call("/open/x", "mutual.test", certificate=mutual.good).json["headers"]
    assert seen["x-gatehouse-client-subject"] == "CN=good"
    assert int(seen["x-gatehouse-client-serial"], 16) > 0


def test_an_authority_below_the_trusted_root_may_sign_too(mutual):
    middle = authority("Team", issuer=mutual.clients)
    member = _client(mutual, "member", issuer=middle)
    assert mutual.client.call("/open/x", "mutual.test", certificate=member).status == 200


def test_a_client_without_a_certificate_is_refused(mutual):
    before = len(mutual.backend.seen)
    assert outcome(mutual.client.call("/open/x", "mutual.test")) == FORBIDDEN
    assert outcome(mutual.client.call("/no/such/path", "mutual.test")) == FORBIDDEN
    assert outcome(mutual.client.call("/ping", "mutual.test")) == FORBIDDEN
    for path in ("/api/v1/keys/verify", "/api/v1/keys/authorize"):
        for headers in ({}, {"Authorization": f"Bearer {new_secret('gat')}"}):
            answer = mutual.client.call(path, "mutual.test", method="POST", headers=headers)
            assert outcome(answer) == FORBIDDEN
    assert len(mutual.backend.seen) == before


@pytest.mark.parametrize("fault", ["self-signed", "another authority", "expired", "a server's own root"])
def test_a_client_with_a_certificate_that_nobody_vouches_for_is_refused(mutual, fault):
    issuers = {
        "self-signed": {},
        "another authority": {"issuer": authority("Clients")},  # the same name, another key
        "expired": {"issuer": mutual.clients, "days": -1},
        "a server's own root": {"issuer": mutual.root},
    }
    wrong = _client(mutual, "wrong", **issuers[fault])
    assert outcome(mutual.client.call("/open/x", "mutual.test", certificate=wrong)) == FORBIDDEN


def test_the_plain_port_is_no_way_around(mutual):
    assert outcome(mutual.node.call("GET", "/open/x", host="mutual.test")) == FORBIDDEN
    assert outcome(mutual.node.call("GET", "/open/x", host="MUTUAL.test:80")) == FORBIDDEN
    assert outcome(mutual.node.call("GET", "/open/x", host="mutual.test.")) == FORBIDDEN


def test_the_handshake_of_another_domain_is_no_way_around(mutual):
    for certificate in (None, mutual.good):
        answer = mutual.client.call("/open/x", "plain.test", host="mutual.test", certificate=certificate)
        assert outcome(answer) == FORBIDDEN


def test_a_certificate_for_one_domain_is_not_shown_to_another(mutual):
    answer = mutual.client.call("/open/x", "mutual.test", host="plain.test", certificate=mutual.good)
    assert outcome(answer) == FORBIDDEN
    answer = mutual.client.call("/open/x", "mutual.test", host="unknown.test", certificate=mutual.good)
    assert outcome(answer) == FORBIDDEN


def test_an_absolute_request_line_is_judged_by_its_own_host(mutual):
    with closing(mutual.client.connect("plain.test")) as connection:
        connection.putrequest("GET", "http://mutual.test/open/x", skip_host=True)
        connection.putheader("Host", "plain.test")
        connection.endheaders()
        assert connection.getresponse().status == 403


def test_a_session_of_another_domain_is_no_way_around(mutual):
    context = mutual.client.context()
    with closing(mutual.client.connect("plain.test", context=context)) as first:
        assert ask(first, "/open/x", "plain.test").status == 200
        session = first.sock.session
    with closing(mutual.client.connect("mutual.test", context=context, session=session)) as second:
        assert outcome(ask(second, "/open/x", "mutual.test")) == FORBIDDEN


def test_nobody_can_forge_what_the_backend_is_told_of_a_client(mutual):
    forged = {"X-Gatehouse-Client-Subject": "CN=boss", "X_Gatehouse_Client_Serial": "1"}
    for answer in (
        mutual.client.call("/open/x", "plain.test", headers=forged),
        mutual.client.call("/open/x", "plain.test", headers=forged, certificate=mutual.good),
        mutual.node.call("GET", "/open/x", headers=forged),
    ):
        assert answer.status == 200
        assert not [name for name in answer.json["headers"] if "client" in name]


def test_a_new_trust_store_holds_at_the_next_call_even_on_a_connection_that_was_open(mutual):
    others = authority("Others")
    context = mutual.client.context(mutual.good)
    with closing(mutual.client.connect("mutual.test", context=context)) as connection:
        assert ask(connection, "/open/x", "mutual.test").status == 200
        mutual.put_trust(mutual.clients.pem)  # a new certificate alone changes nothing for it
        assert ask(connection, "/open/x", "mutual.test").status == 200
        mutual.put_trust(others.pem)
        assert outcome(ask(connection, "/open/x", "mutual.test")) == FORBIDDEN
    assert outcome(mutual.client.call("/open/x", "mutual.test", certificate=mutual.good)) == FORBIDDEN
    mutual.put_trust(mutual.clients.pem + others.pem)
    assert mutual.client.call("/open/x", "mutual.test", certificate=mutual.good).status == 200


def test_a_domain_that_begins_to_ask_refuses_connections_that_were_open_before(mutual):
    _domain(mutual, "turning.test")
    with closing(mutual.client.connect("turning.test")) as connection:
        assert ask(connection, "/open/x", "turning.test").status == 200
        _domain(mutual, "turning.test", client_ca=mutual.clients.pem)
        assert outcome(ask(connection, "/open/x", "turning.test")) == FORBIDDEN
    assert mutual.client.call("/open/x", "turning.test", certificate=mutual.good).status == 200


def test_http_2_asks_for_the_certificate_too(mutual):
    client: Client = mutual.client
    with_it = ["--cert", str(mutual.good[0]), "--key", str(mutual.good[1])]
    told = ["-o", "/dev/null", "-w", "%{http_version} %{http_code}"]
    assert client.curl(*told, *with_it, "https://mutual.test/open/x").stdout == "2 200"
    assert client.curl(*told, "https://mutual.test/open/x").stdout == "2 403"
