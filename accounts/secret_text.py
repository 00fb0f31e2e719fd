"""Secrets that people carry: their text, its checksum, and what we store of it.

Shape: `{head}_{random}_{checksum}`. The random part is 32 base62 characters (about 190 bits). The
checksum is the CRC-32 of everything before the last underscore, in base62, six characters; it tells
a typing mistake from an unknown secret without a look-up. Underscores only, so a double click
selects the whole text. We store the SHA-256 (a fast hash is right for 190 random bits) and the
first characters, to tell secrets apart.
"""

import hashlib
import secrets
import string
import zlib

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
RANDOM_LENGTH = 32
CHECKSUM_LENGTH = 6
PREFIX_LENGTH = 12


def new_secret(head: str) -> str:
    """Return a fresh secret, such as `gat_…_…` for the head `gat`."""
    random = "".join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))
    body = f"{head}_{random}"
    return f"{body}_{checksum(body)}"


def is_well_formed(text: str, head: str) -> bool:
    """Say whether the text has the shape of a secret with this head and the right checksum."""
    if len(text) != len(head) + 1 + RANDOM_LENGTH + 1 + CHECKSUM_LENGTH:
        return False
    body, _, given = text.rpartition("_")
    found_head, _, random = body.rpartition("_")
    return (
        found_head == head
        and len(random) == RANDOM_LENGTH
        and all(letter in ALPHABET for letter in random)
        and given == checksum(body)
    )


def checksum(body: str) -> str:
    """Return zlib's CRC-32 of the text in base62, most significant first, six characters (`0` pads)."""
    number = zlib.crc32(body.encode())
    digits = ""
    while number:
        number, rest = divmod(number, len(ALPHABET))
        digits = ALPHABET[rest] + digits
    return digits.rjust(CHECKSUM_LENGTH, "0")


def hash_of(text: str) -> str:
    """Return the SHA-256 of the whole text, in hex: the only form in which a secret is stored."""
    return hashlib.sha256(text.encode()).hexdigest()


def prefix_of(text: str) -> str:
    """Return the first characters, shown in lists, such as `gh_live_3f2a`."""
    return text[:PREFIX_LENGTH]
