"""The languages, in the order in which pages show them."""

from collections.abc import Callable
from dataclasses import dataclass

from apis.samples import curl, go, javascript, python
from apis.samples.call import Call

WRITERS: dict[str, tuple[str, Callable[[Call], str]]] = {
    "curl": ("curl", curl.write),
    "python": ("Python", python.write),
    "javascript": ("JavaScript", javascript.write),
    "go": ("Go", go.write),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A program that makes a call. `language` is curl, python, javascript or go."""

    language: str
    label: str
    text: str


def samples(call: Call) -> list[Sample]:
    """Return the call in every language."""
    return [Sample(language, label, write(call)) for language, (label, write) in WRITERS.items()]
