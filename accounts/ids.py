"""Short ids: 10 lower-case alphanumerics, the shape Amazon API Gateway gives its APIs and keys.

36**10 is about 3.6e15, so a clash among a billion rows is unlikely, and the primary key would refuse it.
"""

import secrets
import string

ALPHABET = string.ascii_lowercase + string.digits
LENGTH = 10


def short_id() -> str:
    """Return a fresh id that starts with a letter (so that it can also be a DNS label)."""
    number, letter = divmod(secrets.randbelow(26 * 36 ** (LENGTH - 1)), 26)
    found = string.ascii_lowercase[letter]
    for _ in range(LENGTH - 1):
        number, digit = divmod(number, 36)
        found += ALPHABET[digit]
    return found
