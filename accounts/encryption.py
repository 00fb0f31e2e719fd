"""Secrets that must be read again (private keys): encrypted at rest, with keys that can be rotated.

The keys come from `settings.ENCRYPTION_KEYS` (texts, newest first); the newest encrypts, all decrypt. Without
any, they are derived from Django's SECRET_KEY and its fallbacks.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"gatehouse: secrets at rest"


class UnreadableError(RuntimeError):
    """None of the keys opens this secret."""


def encrypt(text: str) -> str:
    """Return the text encrypted; another result each time."""
    return _keys().encrypt(text.encode()).decode()


def decrypt(sealed: str) -> str:
    """Return the text again; raises UnreadableError when its key is no longer among ours."""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise UnreadableError(
            "a secret cannot be decrypted: the key that encrypted it is missing from GATEHOUSE_ENCRYPTION_KEYS"
        ) from error


def reencrypt(sealed: str) -> str:
    """Return the same secret, encrypted with the newest key; raises UnreadableError."""
    return encrypt(decrypt(sealed))


def _keys() -> MultiFernet:
    fallbacks = [str(text) for text in settings.SECRET_KEY_FALLBACKS]
    return _derived(tuple(settings.ENCRYPTION_KEYS or [settings.SECRET_KEY, *fallbacks]))


@lru_cache(maxsize=4)
def _derived(texts: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derive(text)) for text in texts])


def _derive(text: str) -> bytes:
    # the texts are random and long, so a fast derivation is right
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(text.encode())
    return base64.urlsafe_b64encode(made)
