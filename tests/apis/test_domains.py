"""Custom domains: checked certificates, keys at rest encrypted, one organization a host."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from accounts.encryption import decrypt
from accounts.errors import Refused
from accounts.models import AuditEvent
from apis.addresses import map_base_path
from apis.domains import change_domain, create_domain, delete_domain
from apis.models import DomainName
from apis.signals import domains_changed
from tests.factories import make_api, make_organization, make_stage, make_version
from tests.gateway.certificates import authority, leaf

pytestmark = pytest.mark.django_db


@pytest.fixture
def heard():
    found = []
    domains_changed.connect(lambda hosts, **_: found.extend(hosts), weak=False, dispatch_uid="t")
    yield found
    domains_changed.disconnect(dispatch_uid="t")


@pytest.fixture(scope="module")
def root():
    return authority()


def give(host, organization=None, *, made=None, **more):
    made = made or leaf(host)
    values = {"certificate": made.pem, "private_key": made.private_key, "actor": None, **more}
    return create_domain(organization=organization or make_organization(), host=host, **values)


def stage_of(organization):
    return make_stage(make_version(make_api(organization)))


def refused(call, *arguments, **fields):
    with pytest.raises(Refused) as caught:
        call(*arguments, **fields)
    return caught.value.field, caught.value.code, caught.value.message


def test_a_domain_is_kept_with_its_key_encrypted_and_announced(heard):
    made = leaf("api.example.com")
    domain = give(" API.Example.com. ", made=made)
    assert heard == ["api.example.com"]
    row = DomainName.objects.get()
    assert (row.host, row.certificate) == ("api.example.com", made.pem)
    assert row.expires_at == made.certificate.not_valid_after_utc
    assert decrypt(row.sealed_key) == made.private_key
    assert "PRIVATE KEY" not in json.dumps(list(DomainName.objects.values()), default=str)
    event = AuditEvent.objects.get(action="domain.created")
    assert event.target_id == domain.pk
    assert "PRIVATE" not in event.summary + json.dumps(event.changes)


@pytest.mark.parametrize(
    ("field", "change", "words"),
    [
        ("certificate", lambda made: {"certificate": "nonsense"}, "no certificate in PEM"),
        ("certificate", lambda made: {"certificate": ""}, "no certificate in PEM"),
        ("certificate", lambda made: {"certificate": "x" * 200_001}, "at most 200 kB"),
        ("certificate", lambda made: {"certificate": made.pem * 11}, "at most 10"),
        ("certificate", lambda made: {"certificate": made.pem + leaf("x.test").pem}, "did not sign"),
        ("private_key", lambda made: {"private_key": "nonsense"}, "no private key in PEM"),
        ("private_key", lambda made: {"private_key": leaf("x.test").private_key}, "does not belong"),
        ("client_ca", lambda made: {"client_ca": "nonsense"}, "no certificate in PEM"),
        ("client_ca", lambda made: {"client_ca": leaf("x.test").pem}, "no certificate authority"),
    ],
)
def test_what_cannot_work_is_refused_at_its_field(heard, field, change, words):
    made = leaf("api.example.com")
    told = refused(give, "api.example.com", made=made, **change(made))
    assert told[0] == field
    assert words in told[2]
    assert heard == []


def test_a_key_with_a_password_is_refused():
    made = leaf("api.example.com")
    locked = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    field, _, message = refused(give, "api.example.com", made=made, private_key=locked.decode())
    assert (field, "without one" in message) == ("private_key", True)


def test_a_short_rsa_key_is_refused():
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 -- that is the point
    text = short.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    field, _, message = refused(give, "api.example.com", private_key=text)
    assert (field, "2048" in message) == ("private_key", True)


def test_a_certificate_must_hold_now_and_for_the_host():
    for made, words in (
        (leaf("api.example.com", days=-1), "expired on"),
        (leaf("other.example.com"), "not for api.example.com"),
        (leaf(subject="api.example.com"), "Subject Alternative Names"),
    ):
        field, _, message = refused(give, "api.example.com", made=made)
        assert (field, words in message) == ("certificate", True)


def test_a_wildcard_certificate_serves_one_label_and_the_chain_must_be_in_order(root):
    middle = authority("Middle", issuer=root)
    wild = leaf("*.example.com", issuer=middle)
    assert give("*.example.com", make_organization(), made=wild).certificate == wild.pem
    lower, upper = wild.pem.split("-----END CERTIFICATE-----\n")[:2]
    swapped = f"{upper}-----END CERTIFICATE-----\n{lower}-----END CERTIFICATE-----\n"
    field, _, _ = refused(give, "b.example.org", made=wild, certificate=swapped)
    assert field == "private_key"  # the first certificate is another's
    assert refused(give, "a.b.example.com", made=wild)[0] == "certificate"


@pytest.mark.parametrize(
    "host",
    ["", "example", "*.com", "*", "*.*.example.com", "a.*.example.com", "1.2.3.4", "x.execute-api.example.com",
     "*.execute-api.example.com", "a b.example.com", "api.example.com:443", "localhost"],
)  # fmt: skip
def test_what_is_no_host_is_refused(host):
    assert refused(give, host, made=leaf("api.example.com"))[0] == "host"


def test_a_trust_store_needs_every_authority_up_to_the_root(root):
    middle = authority("Middle", issuer=root)
    alone = middle.certificate.public_bytes(Encoding.PEM)
    field, _, message = refused(give, "api.example.com", client_ca=alone.decode())
    assert (field, "signer of CN=Middle is missing" in message) == ("client_ca", True)
    whole = alone.decode() + root.pem
    assert give("api.example.com", client_ca=f"# ours\n{whole}{root.pem}").client_ca == whole
    assert (
        refused(give, "b.example.com", client_ca=authority("Old").pem.replace("A", "B", 1))[0] == "client_ca"
    )


def test_a_host_belongs_to_one_organization(heard):
    alice, charlie = make_organization(), make_organization()
    give("api.example.com", alice)
    give("*.wild.example.com", alice)
    taken = ("host", "taken")
    assert refused(give, "api.example.com", charlie)[:2] == taken
    assert refused(give, "api.example.com", alice)[:2] == taken
    assert refused(give, "*.example.com", charlie)[:2] == taken
    assert refused(give, "x.wild.example.com", charlie)[:2] == taken
    assert give("x.wild.example.com", alice).organization == alice
    assert give("*.example.com", alice).organization == alice
    assert give("y.x.wild.example.com", charlie).organization == charlie  # a wildcard covers one label


def test_base_path_mappings_and_domains_respect_each_other():
    alice, charlie = make_organization(), make_organization()
    hers, his = stage_of(alice), stage_of(charlie)
    give("*.alice.example.com", alice)
    map_base_path(stage=hers, host="api.alice.example.com", actor=None)
    for host in ("api.alice.example.com", "new.alice.example.com"):
        assert refused(map_base_path, stage=his, host=host, base_path="x", actor=None)[:2] == (
            "host",
            "taken",
        )
    map_base_path(stage=his, host="api.charlie.example.com", actor=None)
    assert refused(give, "api.charlie.example.com", alice)[:2] == ("host", "taken")
    assert refused(give, "*.charlie.example.com", alice)[:2] == ("host", "taken")
    assert give("api.charlie.example.com", charlie).organization == charlie


def test_a_new_certificate_replaces_the_old_one(heard):
    domain = give("api.example.com")
    fresh = leaf("api.example.com")
    heard.clear()
    changed = change_domain(domain=domain, certificate=fresh.pem, private_key=fresh.private_key, actor=None)
    assert heard == ["api.example.com"]
    assert changed.certificate == fresh.pem
    assert decrypt(changed.sealed_key) == fresh.private_key
    changes = AuditEvent.objects.get(action="domain.changed").changes
    assert changes["certificate"] == [domain.fingerprint, changed.fingerprint]
    change_domain(domain=changed, certificate=fresh.pem, actor=None)
    assert heard == ["api.example.com"]
    other = leaf("api.example.com")
    for given in ({"certificate": other.pem}, {"private_key": other.private_key}):
        assert refused(change_domain, domain=domain, actor=None, **given)[0] == "private_key"


def test_client_certificates_can_be_asked_for_and_given_up(heard, root):
    domain = give("api.example.com")
    assert change_domain(domain=domain, client_ca=root.pem, actor=None).client_ca == root.pem
    assert change_domain(domain=domain, client_ca="", actor=None).client_ca == ""
    assert len(heard) == 3
    with pytest.raises(TypeError, match="host"):
        change_domain(domain=domain, host="b.example.com", actor=None)


def test_a_domain_is_deleted_when_nothing_leads_through_it(heard):
    alice = make_organization()
    domain, wild = give("api.example.com", alice), give("*.example.com", alice)
    mapping = map_base_path(stage=stage_of(alice), host="api.example.com", actor=None)
    assert refused(delete_domain, domain=domain, actor=None)[:2] == ("host", "in_use")
    delete_domain(domain=wild, actor=None)  # the mapping's host has a domain of its own
    mapping.delete()
    heard.clear()
    delete_domain(domain=domain, actor=None)
    assert heard == ["api.example.com"]
    assert not DomainName.objects.exists()
    assert AuditEvent.objects.filter(action="domain.deleted").count() == 2


def test_a_wildcard_is_mapped_by_who_has_its_domain():
    alice = make_organization()
    stage = stage_of(alice)
    field, _, message = refused(map_base_path, stage=stage, host="*.example.com", actor=None)
    assert (field, "certificate first" in message) == ("host", True)
    wild = give("*.example.com", alice)
    mapping = map_base_path(stage=stage, host="*.Example.com", base_path="shop", actor=None)
    assert mapping.host == "*.example.com"
    assert refused(delete_domain, domain=wild, actor=None)[:2] == ("host", "in_use")
    other = stage_of(make_organization())
    assert refused(map_base_path, stage=other, host="*.example.com", actor=None)[:2] == ("host", "taken")
    assert refused(map_base_path, stage=other, host="a.example.com", actor=None)[:2] == ("host", "taken")
