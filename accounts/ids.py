"""Short ids: 10 lower-case alphanumerics, the shape Amazon API Gateway gives its APIs and keys.

36**10 is about 3.6e15, so a clash among a billion rows is unlikely, and the primary key would refuse it.
"""

import secrets
import string

ALPHABET = string.ascii_lowercase + string.digits
LENGTH = 10


def short_id() -> str:
    """Return a fresh id that starts with a letter (so that it can also be a DNS label)."""
    first = secrets.choice(string.ascii_lowercase)
    return first + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
