"""Rotation of the key that encrypts private keys at rest."""

import pytest
from django.core.management import CommandError, call_command

from accounts.encryption import decrypt
from apis.client_tls import generate_client_certificate
from apis.domains import create_domain
from apis.models import Backend, DomainName
from nodes.compile_tls import opened
from nodes.models import Entry
from tests.factories import make_backend, make_organization
from tests.gateway.certificates import leaf

pytestmark = pytest.mark.django_db
OLD, NEW = "old " * 10, "new " * 10


def test_after_it_the_new_key_alone_reads_everything(settings, capsys):
    settings.ENCRYPTION_KEYS = [OLD]
    made = leaf("api.example.com")
    create_domain(
        organization=make_organization(), host="api.example.com", certificate=made.pem,
        private_key=made.private_key, actor=None,
    )  # fmt: skip
    generate_client_certificate(backend=make_backend(url="https://api.example.com"), actor=None)
    make_backend()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    call_command("reencrypt")
    assert "2 private keys" in capsys.readouterr().out
    settings.ENCRYPTION_KEYS = [NEW]
    assert decrypt(DomainName.objects.get().sealed_key) == made.private_key
    assert "PRIVATE KEY" in decrypt(Backend.objects.exclude(sealed_client_key="").get().sealed_client_key)
    entry = Entry.objects.get(kind="certificate")
    assert opened(entry.kind, entry.key, entry.data)["private_key"] == made.private_key


def test_a_key_that_is_missing_is_named_and_nothing_changes(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    backend = generate_client_certificate(backend=make_backend(url="https://a.example.com"), actor=None)
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(CommandError, match="GATEHOUSE_ENCRYPTION_KEYS"):
        call_command("reencrypt")
    assert Backend.objects.get().sealed_client_key == backend.sealed_client_key
