"""Reading JSON values strictly: every error names the field and the way out."""

import math
import re
from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import Any

TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}\Z")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
MANY = 500


class PolicyError(ValueError):
    """A value that cannot be used. `field` is a dotted path such as `policy.cache.ttl`."""

    def __init__(self, message: str, field: str) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


def path(at: str, name: str | int) -> str:
    """Return the dotted path of a field below `at`."""
    return f"{at}.{name}" if at else str(name)


def fields_of(raw: Any, at: str, *, known: Collection[str], needed: Collection[str] = ()) -> dict[str, Any]:
    """Return an object whose fields are all known; raises PolicyError at the field that is not."""
    if not isinstance(raw, dict):
        raise PolicyError(f"Give an object with {', '.join(known)}.", at)
    for name in raw:
        if name not in known:
            raise PolicyError(f"Unknown field.{_near(str(name), known)}", path(at, str(name)[:60]))
    for name in needed:
        if raw.get(name) is None:
            raise PolicyError("This field is required.", path(at, name))
    return raw


def _near(name: str, known: Collection[str]) -> str:
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]}?" if close else f" Known: {', '.join(known)}."


def whole(raw: Any, at: str, low: int, high: int, unit: str) -> int:
    """Return a whole number of `unit` from `low` to `high`."""
    number = _number(raw)
    if number is None or number != int(number) or not low <= number <= high:
        raise PolicyError(f"Give a whole number of {unit} from {low:,} to {high:,}.", at)
    return int(number)


def rate(raw: Any, at: str) -> float:
    """Return a number of calls a second, 0 or more."""
    number = _number(raw)
    if number is None or not 0 <= number <= 1_000_000_000:
        raise PolicyError("Give a number of calls a second, 0 (= block) or more.", at)
    return number


def _number(raw: Any) -> float | None:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not math.isfinite(raw):
        return None
    return float(raw) if isinstance(raw, float) else raw


def truth(raw: Any, at: str) -> bool:
    """Return true or false."""
    if not isinstance(raw, bool):
        raise PolicyError("Give true or false.", at)
    return raw


def one_of(raw: Any, at: str, choices: Collection[str]) -> str:
    """Return one of the choices."""
    if not isinstance(raw, str) or raw not in choices:
        raise PolicyError(f"Use one of {', '.join(choices)}.", at)
    return raw


def texts(raw: Any, at: str, check: Callable[[Any, str], str], *, at_most: int = MANY) -> list[str]:
    """Return a list of texts, each as `check(value, its path)` returns it, without repeats, in their order."""
    if not isinstance(raw, list):
        raise PolicyError("Give a list.", at)
    if len(raw) > at_most:
        raise PolicyError(f"Give at most {at_most} of them.", at)
    return list(dict.fromkeys(check(value, path(at, position)) for position, value in enumerate(raw)))


def token(raw: Any, at: str) -> str:
    """Return the name of a header, as HTTP allows it."""
    if not isinstance(raw, str) or not TOKEN.match(raw):
        raise PolicyError("Give a header name: letters, digits and - such as X-Request-Id.", at)
    return raw


def line(raw: Any, at: str, longest: int) -> str:
    """Return a text of one line without control characters."""
    if not isinstance(raw, str) or len(raw) > longest or CONTROL.search(raw):
        raise PolicyError(f"Give a text of one line, at most {longest:,} characters.", at)
    return raw
