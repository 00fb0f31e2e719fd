"""Secrets at rest: unreadable in the database, readable with any key of the list."""

import pytest

from accounts.encryption import UnreadableError, decrypt, encrypt, reencrypt

OLD, NEW = "old " * 10, "new " * 10


def test_a_secret_comes_back_and_never_looks_the_same():
    first, second = encrypt("a private key"), encrypt("a private key")
    assert decrypt(first) == decrypt(second) == "a private key"
    assert first != second
    assert "private" not in first


def test_keys_are_rotated_by_a_list(settings):
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = encrypt("secret")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert decrypt(sealed) == "secret"
    renewed = reencrypt(sealed)
    settings.ENCRYPTION_KEYS = [NEW]
    assert decrypt(renewed) == "secret"
    with pytest.raises(UnreadableError, match="GATEHOUSE_ENCRYPTION_KEYS"):
        decrypt(sealed)


def test_without_a_key_of_its_own_it_hangs_on_djangos_secret_key(settings):
    settings.ENCRYPTION_KEYS = []
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = OLD, []
    sealed = encrypt("secret")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    assert decrypt(sealed) == "secret"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(UnreadableError):
        decrypt(sealed)


def test_what_was_never_encrypted_is_unreadable():
    with pytest.raises(UnreadableError):
        decrypt("plain text")
